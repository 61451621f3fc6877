/**
 * A text as Slack sends it, made plain: entities, mentions, links and dates are escaped as `&lt;` and `<…>` there.
 * A mention of one of `botUserIds` at the beginning is only how the bot is called, and is left out; alone it stays.
 *
 * @see https://docs.slack.dev/messaging/formatting-message-text/
 */
export function toPlainText(text: string, botUserIds: ReadonlySet<string>): string {
  return unescapeText(withoutCall(text, botUserIds) || text).trim();
}

/** Whether a text names one of the users. */
export function mentions(text: string, userIds: ReadonlySet<string>): boolean {
  return [...text.matchAll(/<@([A-Z0-9]{1,64})[|>]/g)].some(([, user = '']) => userIds.has(user));
}

function withoutCall(text: string, botUserIds: ReadonlySet<string>): string {
  let rest = text.trim();
  for (;;) {
    const [call = '', user = ''] = /^<@([A-Z0-9]{1,64})(?:\|[^<>]*)?>[\s,:]*/.exec(rest) ?? [];
    if (!botUserIds.has(user)) return rest;
    rest = rest.slice(call.length);
  }
}

function unescapeText(text: string): string {
  return text.replaceAll(/<([^<>]+)>|&(?:amp|lt|gt);/g, (whole, inside?: string) =>
    inside === undefined ? (entities[whole] ?? whole) : unescapeLabelled(inside),
  );
}

const entities: Readonly<Record<string, string>> = { '&amp;': '&', '&lt;': '<', '&gt;': '>' };

/** What stands between `<` and `>`: a mark, an id or address, and perhaps what is shown in its place. */
function unescapeLabelled(inside: string): string {
  const bar = inside.indexOf('|');
  const target = unescapeText(bar < 0 ? inside : inside.slice(0, bar));
  const label = bar < 0 ? '' : unescapeText(inside.slice(bar + 1));
  switch (target[0]) {
    case '@':
      return label ? marked('@', label) : target;
    case '#':
      return label ? marked('#', label) : target;
    case '!':
      return special(target.slice(1), label);
    default:
      return link(target, label);
  }
}

function special(command: string, label: string): string {
  const [name = '', id = ''] = command.split('^');
  if (name === 'date') return label || command;
  return marked('@', label || (name === 'subteam' ? id : name));
}

function link(address: string, label: string): string {
  if (!label || !address) return address || label;
  // Slack makes links of bare addresses by itself: what was written is the label.
  if (withoutScheme(address) === withoutScheme(label)) return label;
  return `${label} (${address})`;
}

function withoutScheme(address: string): string {
  return address.replace(/^(?:https?:\/\/|mailto:|tel:)/, '').replace(/\/$/, '');
}

function marked(mark: string, name: string): string {
  return name.startsWith(mark) ? name : mark + name;
}
