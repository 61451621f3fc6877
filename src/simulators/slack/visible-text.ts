import { isJson, type Json, jsonList, textOf } from './json.ts';

type Shown = { text: string; blocks?: Json[] | undefined; markdown?: string | undefined };

/**
 * What a person reads in a message: its markdown where it came as markdown or was streamed, then its blocks; else its
 * text. Bullets of lists are left out, mentions read `@U1` and `#C1`.
 */
export function visibleText({ text, blocks, markdown }: Shown): string {
  const shown = (blocks ?? []).map(blockText).filter((part) => part !== '');
  if (markdown !== undefined) return [markdown, ...shown].join('\n');
  return shown.length > 0 ? shown.join('\n') : plainText(text);
}

/** Slack's notation as it is shown: `&lt;` is `<`, `<https://a.example|a>` is `a`, `<!here>` is `@here`. */
export function plainText(text: string): string {
  return text
    .replace(/<([^<>]+)>/g, (_whole, inside: string) => {
      const [target = '', label] = inside.split('|', 2);
      if (label !== undefined) return label;
      if (/^!(here|channel|everyone)$/.test(target)) return `@${target.slice(1)}`;
      return target.startsWith('!subteam^') ? `@${target.slice(9)}` : target;
    })
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}

/** Whom a message notifies, `@U1`, `@S1`, `@here`, wherever in it that stands. */
export function mentionsIn({ text, blocks, markdown }: Shown): string[] {
  const written = [text, markdown ?? '', ...writtenIn(blocks ?? [])].join('\n');
  const inText = [
    ...written.matchAll(/<(?:@([UW][A-Z0-9]+)|!subteam\^(S[A-Z0-9]+)|!(here|channel|everyone))[|>]/g),
  ];
  const inBlocks = elementsIn(blocks ?? []).flatMap((element) => {
    if (element['type'] === 'user') return [`@${element['user_id']}`];
    if (element['type'] === 'usergroup') return [`@${element['usergroup_id']}`];
    return element['type'] === 'broadcast' ? [`@${element['range']}`] : [];
  });
  return [...new Set([...inText.map(([, user, group, all]) => `@${user ?? group ?? all}`), ...inBlocks])];
}

function blockText(block: Json): string {
  switch (block['type']) {
    case 'rich_text':
      return lines(jsonList(block['elements']).map(richText));
    case 'markdown':
      return textOf(block['text']);
    case 'section':
      return lines([objectText(block['text']), ...jsonList(block['fields']).map(objectText)]);
    case 'header':
      return objectText(block['text']);
    case 'context':
      return lines(jsonList(block['elements']).map(objectText));
    case 'image':
      return textOf(block['alt_text']);
    case 'table':
      return lines((Array.isArray(block['rows']) ? block['rows'] : []).map(rowText));
    default:
      return ''; // buttons and rules are there to be pressed and seen
  }
}

function richText(element: Json): string {
  const inside = jsonList(element['elements']);
  if (element['type'] === 'rich_text_list') return lines(inside.map(richText));
  return inside.map(inlineText).join('');
}

function inlineText(element: Json): string {
  switch (element['type']) {
    case 'text':
      return textOf(element['text']);
    case 'link':
      return textOf(element['text']) || textOf(element['url']);
    case 'user':
      return `@${element['user_id']}`;
    case 'usergroup':
      return `@${element['usergroup_id']}`;
    case 'team':
      return `@${element['team_id']}`;
    case 'channel':
      return `#${element['channel_id']}`;
    case 'broadcast':
      return `@${element['range']}`;
    case 'emoji':
      return `:${element['name']}:`;
    case 'date':
      return textOf(element['fallback']) || String(element['timestamp']);
    default:
      return textOf(element['value']);
  }
}

function rowText(row: unknown): string {
  return jsonList(row)
    .map((cell) =>
      cell['type'] === 'rich_text' ? blockText(cell) : String(cell['text'] ?? cell['value'] ?? ''),
    )
    .join('\t');
}

function objectText(object: unknown): string {
  if (!isJson(object)) return '';
  const text = textOf(object['text']);
  return object['type'] === 'mrkdwn' ? plainText(text) : text;
}

/** Each in a line of its own; a part that ends a line itself gets no second end. */
function lines(parts: readonly string[]): string {
  return parts.reduce((all, part) => {
    if (all === '' || part === '') return all + part;
    return all.endsWith('\n') ? all + part : `${all}\n${part}`;
  }, '');
}

function elementsIn(value: unknown): Json[] {
  if (Array.isArray(value)) return value.flatMap(elementsIn);
  return isJson(value) ? [value, ...Object.values(value).flatMap(elementsIn)] : [];
}

/** Text of blocks that Slack reads its notation in. */
function writtenIn(blocks: Json[]): string[] {
  return elementsIn(blocks)
    .filter(({ type }) => type === 'mrkdwn' || type === 'markdown')
    .map(({ text }) => textOf(text));
}
