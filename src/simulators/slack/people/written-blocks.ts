import { newSlackId } from '../identifiers.ts';
import type { Json } from '../json.ts';
import { plainText } from '../visible-text.ts';

/** The blocks that Slack makes of what a person has typed, from its text in Slack's notation. */
export function writtenBlocks(text: string): Json[] | undefined {
  if (text === '') return undefined;
  const elements = text
    .split(/(<[^<>]+>)/)
    .filter((part) => part !== '')
    .map(elementOf);
  return [
    { type: 'rich_text', block_id: newSlackId('b'), elements: [{ type: 'rich_text_section', elements }] },
  ];
}

function elementOf(part: string): Json {
  const inside = /^<([^<>|]+)(?:\|([^<>]*))?>$/.exec(part);
  const [, target = '', label] = inside ?? [];
  if (!inside) return { type: 'text', text: plainText(part) };
  if (target.startsWith('@')) return { type: 'user', user_id: target.slice(1) };
  if (target.startsWith('#')) return { type: 'channel', channel_id: target.slice(1) };
  if (target.startsWith('!subteam^')) return { type: 'usergroup', usergroup_id: target.slice(9) };
  if (target.startsWith('!')) return { type: 'broadcast', range: target.slice(1) };
  return { type: 'link', url: plainText(target), ...(label && { text: plainText(label) }) };
}
