/** What the API answers instead of doing anything. @see https://discord.com/developers/docs/topics/opcodes-and-status-codes */
export class DiscordRefusal extends Error {
  override readonly name = 'DiscordRefusal';
  readonly status: number;
  readonly code: number;

  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export const unknown = (what: 'Channel' | 'Message' | 'Guild' | 'Member' | 'Webhook' | 'User') => {
  const codes = {
    Channel: 10_003,
    Guild: 10_004,
    Member: 10_007,
    Message: 10_008,
    User: 10_013,
    Webhook: 10_015,
  };
  return new DiscordRefusal(404, codes[what], `Unknown ${what}`);
};
export const missingAccess = () => new DiscordRefusal(403, 50_001, 'Missing Access');
export const missingPermissions = () => new DiscordRefusal(403, 50_013, 'Missing Permissions');
export const invalidForm = (what: string) => new DiscordRefusal(400, 50_035, `Invalid Form Body: ${what}`);
