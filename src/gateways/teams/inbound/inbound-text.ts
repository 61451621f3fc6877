import type { Activity } from './activity.ts';

type Mention = { id: string; name: string; written: string };

/** More than a person calls in one message. Each is looked for in the whole text. */
const mentionsMax = 50;

/**
 * What was said, plain. Teams writes mentions as `<at>name</at>` and escapes what people write as HTML does. Our bot's at
 * the beginning or the end is only how it is called, and is left out; alone it stays, like those within the text.
 */
export function textOfActivity(activity: Activity): string {
  const botId = activity.recipient?.id;
  const mentions = mentionsOf(activity);
  const calls = mentions.filter(({ id }) => id === botId).map(({ written }) => written);
  const said = (activity.text ?? '').replaceAll(/\r\n?/g, '\n').replaceAll('\u00a0', ' ').trim();
  return plain(withoutCalls(said, calls) || said, mentions);
}

export function isMentioned(activity: Activity): boolean {
  const botId = activity.recipient?.id;
  return botId !== undefined && mentionsOf(activity).some(({ id }) => id === botId);
}

function mentionsOf({ entities = [] }: Activity): Mention[] {
  return entities.flatMap((entity) => {
    const { type, text, mentioned } = (entity ?? {}) as Record<string, unknown>;
    const { id, name } = (mentioned ?? {}) as Record<string, unknown>;
    if (type !== 'mention' || typeof id !== 'string') return [];
    const called = typeof name === 'string' ? name : '';
    const written = typeof text === 'string' && text !== '' ? text : `<at>${called}</at>`;
    return [{ id, name: called, written }];
  });
}

function withoutCalls(text: string, calls: readonly string[]): string {
  const written = [...new Set(calls)].slice(0, mentionsMax);
  let rest = text;
  for (let stripped = 0; stripped < mentionsMax; stripped += 1) {
    const first = written.find((call) => rest.startsWith(call));
    const last = first === undefined ? written.find((call) => rest.endsWith(call)) : undefined;
    if (first !== undefined) rest = rest.slice(first.length).replace(/^(?:\s|&nbsp;|[,:])+/, '');
    else if (last !== undefined) rest = withoutSpaceAtEnd(rest.slice(0, -last.length));
    else return rest;
  }
  return rest;
}

// By hand: a pattern that ends with $ is tried at each of the spaces before it, which people may write by the thousand.
function withoutSpaceAtEnd(text: string): string {
  let end = text.length;
  for (;;) {
    if (text.endsWith('&nbsp;', end)) end -= '&nbsp;'.length;
    else if (end > 0 && text.charAt(end - 1).trim() === '') end -= 1;
    else return text.slice(0, end);
  }
}

/** In one pass, so that a name which holds another mention, or itself, is not read again. */
function plain(text: string, mentions: readonly Mention[]): string {
  const named = mentions
    .filter(({ name }) => name !== '')
    .map(({ written, name }) => [written, name] as const);
  const names = new Map(named.slice(0, mentionsMax));
  const literal = [...names.keys()].map((written) => written.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&'));
  const mention = new RegExp([...literal, '<at(?: [^<>]*)?>([^<>]*)</at>'].join('|'), 'g');
  const shown = text.replaceAll(mention, (written, called: string) => `@${names.get(written) ?? called}`);
  return unescapeText(shown).trim();
}

/** Once: what somebody has written as `&amp;lt;` says `&lt;`. */
function unescapeText(text: string): string {
  return text.replaceAll(/&(?:amp|lt|gt|quot|apos|nbsp|#39);/g, (entity) => entities[entity] ?? entity);
}

const entities: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&apos;': "'",
  '&#39;': "'",
  '&nbsp;': ' ',
};
