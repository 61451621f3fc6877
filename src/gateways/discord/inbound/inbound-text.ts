import { type Fields, idOf, rowsOf, textOf } from './payload.ts';

/**
 * A text as people see it: mentions by their names, emoji by theirs, times as times. A mention of the bot at the beginning
 * is only how it is called, and is left out; alone it stays.
 *
 * @see https://discord.com/developers/docs/reference#message-formatting
 */
export function readText(message: Fields, botIds: ReadonlySet<string>): string {
  const content = textOf(message['content']) ?? '';
  const names = namesOf(message);
  return shown(withoutCall(content.trim(), botIds) || content.trim(), names).trim();
}

/** Whether a message is said to the bot: mentions it or its role, or replies to it. */
export function isAddressed(message: Fields, bot: { user: string; roles: readonly string[] }): boolean {
  const mentions = rowsOf(message['mentions']).some(({ id }) => id === bot.user);
  const roles = message['mention_roles'];
  const role = Array.isArray(roles) && roles.some((id) => bot.roles.includes(String(id)));
  const { author } = (message['referenced_message'] ?? {}) as { author?: { id?: unknown } };
  return mentions || role || (author?.id !== undefined && author.id === bot.user);
}

function withoutCall(text: string, botIds: ReadonlySet<string>): string {
  let rest = text;
  for (;;) {
    const [call = '', id = ''] = /^<@[!&]?(\d{1,20})>[\s,:]*/.exec(rest) ?? [];
    if (call === '' || !botIds.has(id)) return rest;
    rest = rest.slice(call.length);
  }
}

function namesOf(message: Fields): ReadonlyMap<string, string> {
  const named = rowsOf(message['mentions']).map((user) => [
    idOf(user['id']) ?? '',
    textOf(user['global_name']) ?? textOf(user['username']) ?? '',
  ]);
  return new Map(named as [string, string][]);
}

function shown(text: string, names: ReadonlyMap<string, string>): string {
  return text
    .replaceAll(/<@!?(\d{1,20})>/g, (_, id: string) => `@${names.get(id) || id}`)
    .replaceAll(/<@&(\d{1,20})>/g, '@role-$1')
    .replaceAll(/<#(\d{1,20})>/g, '#$1')
    .replaceAll(/<a?(:\w{2,32}:)\d{1,20}>/g, '$1')
    .replaceAll(/<\/([\w -]{1,100}):\d{1,20}>/g, '/$1')
    .replaceAll(/<t:(-?\d{1,13})(?::[a-zA-Z])?>/g, (whole, seconds: string) => {
      const at = new Date(Number(seconds) * 1_000);
      return Number.isNaN(at.getTime()) ? whole : at.toISOString();
    });
}
