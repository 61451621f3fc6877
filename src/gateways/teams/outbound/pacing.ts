import type { OpenChannel } from '../../gateway.ts';
import type { Pacer } from '../../pacer.ts';
import { settingsOf } from '../channel.ts';
import { baseOf } from '../places.ts';

/**
 * Waits for a turn in a conversation and in the tenant. Teams takes of a bot in one conversation 7 messages in 1 s, 8 in
 * 2 s, 60 in 30 s and 1,800 in an hour. Six at once and one a second keeps the first three; six hundred at once and one
 * each three seconds the last.
 *
 * @see https://learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit
 * `burst`: fewer for what may be left out, so that answers find room. @throws {GatewayError} `not_now`
 */
export async function takeTurn(
  pacer: Pacer,
  channel: OpenChannel,
  conversationId: string,
  signal: AbortSignal,
  burst = 6,
): Promise<void> {
  const { appId, aadTenant, requestsPerSecond } = settingsOf(channel);
  const thread = `teams/${channel.id}/${baseOf(conversationId)}`;
  await pacer.take(`${thread}/hour`, 3_000, signal, 1, 600);
  await pacer.take(thread, 1_000, signal, 1, burst);
  await takeTenantTurn(pacer, { appId, aadTenant, requestsPerSecond }, signal);
}

// Two thirds at once after a silence is more than the limit in the second that follows; a third is not.
async function takeTenantTurn(
  pacer: Pacer,
  {
    appId,
    aadTenant,
    requestsPerSecond,
  }: { appId: string | undefined; aadTenant: string; requestsPerSecond: number },
  signal: AbortSignal,
): Promise<void> {
  const burst = Math.max(1, Math.floor(requestsPerSecond / 3));
  const intervalMs = 1_000 / Math.max(requestsPerSecond - burst, 1);
  await pacer.take(`teams/${appId ?? ''}/${aadTenant}`, intervalMs, signal, 1, burst);
}
