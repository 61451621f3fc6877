import type { Json } from '../json.ts';
import {
  ContentFault,
  refuseUnknownFields,
  requireList,
  requireObject,
  requireOneOf,
  requireText,
} from './fields.ts';

/** Checks a `rich_text` block (https://docs.slack.dev/reference/block-kit/blocks/rich-text-block). @throws {ContentFault} */
export function checkRichText(block: Json, at: string): void {
  refuseUnknownFields(block, ['type', 'block_id', 'elements'], at);
  requireList(block['elements'], `${at}/elements`, { min: 1 }).forEach((element, index) => {
    checkElement(requireObject(element, `${at}/elements/${index}`), `${at}/elements/${index}`);
  });
}

function checkElement(element: Json, at: string): void {
  switch (element['type']) {
    case 'rich_text_section':
      refuseUnknownFields(element, ['type', 'elements'], at);
      checkInlines(element, at, inlineTypes);
      break;
    case 'rich_text_quote':
      refuseUnknownFields(element, ['type', 'elements', 'border'], at);
      checkInlines(element, at, inlineTypes);
      break;
    case 'rich_text_preformatted':
      refuseUnknownFields(element, ['type', 'elements', 'border', 'language'], at);
      checkInlines(element, at, ['text', 'link']);
      break;
    case 'rich_text_list':
      checkList(element, at);
      break;
    default:
      throw new ContentFault(`unsupported type: ${String(element['type'])}`, `${at}/type`);
  }
}

const indentMax = 8;

function checkList(list: Json, at: string): void {
  refuseUnknownFields(list, ['type', 'style', 'elements', 'indent', 'offset', 'border'], at);
  requireOneOf(list['style'], ['bullet', 'ordered'], `${at}/style`);
  for (const name of ['indent', 'offset'] as const) {
    const number = list[name] ?? 0;
    if (!Number.isInteger(number) || Number(number) < 0)
      throw new ContentFault('must be a whole number', `${at}/${name}`);
  }
  if (Number(list['indent'] ?? 0) > indentMax)
    throw new ContentFault(`must be at most ${indentMax}`, `${at}/indent`);
  requireList(list['elements'], `${at}/elements`, { min: 1 }).forEach((item, index) => {
    const place = `${at}/elements/${index}`;
    const section = requireObject(item, place);
    requireOneOf(section['type'], ['rich_text_section'], `${place}/type`);
    checkElement(section, place);
  });
}

function checkInlines(parent: Json, at: string, allowed: readonly string[]): void {
  requireOneOf(parent['border'] ?? 0, [0, 1], `${at}/border`);
  requireList(parent['elements'], `${at}/elements`, { min: 1 }).forEach((value, index) => {
    const place = `${at}/elements/${index}`;
    const inline = requireObject(value, place);
    requireOneOf(inline['type'], allowed, `${place}/type`);
    checkInline(inline, place);
  });
}

/** Fields of each inline element beside `type` and `style`, and what must be right about them. */
const inlines: Readonly<
  Record<string, { fields: readonly string[]; check: (inline: Json, at: string) => void }>
> = {
  text: { fields: ['text'], check: (inline, at) => void requireText(inline['text'], `${at}/text`) },
  link: { fields: ['url', 'text', 'unsafe'], check: checkLink },
  user: { fields: ['user_id'], check: (inline, at) => requireId(inline['user_id'], 'UW', `${at}/user_id`) },
  usergroup: {
    fields: ['usergroup_id'],
    check: (inline, at) => requireId(inline['usergroup_id'], 'S', `${at}/usergroup_id`),
  },
  team: { fields: ['team_id'], check: (inline, at) => requireId(inline['team_id'], 'T', `${at}/team_id`) },
  channel: {
    fields: ['channel_id'],
    check: (inline, at) => requireId(inline['channel_id'], 'CGD', `${at}/channel_id`),
  },
  broadcast: {
    fields: ['range'],
    check: (inline, at) => requireOneOf(inline['range'], ['here', 'channel', 'everyone'], `${at}/range`),
  },
  emoji: {
    fields: ['name', 'unicode', 'url', 'skin_tone', 'display_team_id', 'display_url'],
    check: (inline, at) => {
      if (!/^[a-z0-9_+'-]+(::skin-tone-[2-6])?$/.test(requireText(inline['name'], `${at}/name`)))
        throw new ContentFault('must be the name of an emoji', `${at}/name`);
    },
  },
  color: {
    fields: ['value'],
    check: (inline, at) => {
      if (!/^#[0-9a-fA-F]{6}$/.test(requireText(inline['value'], `${at}/value`)))
        throw new ContentFault('must be a colour', `${at}/value`);
    },
  },
  date: {
    fields: ['timestamp', 'format', 'url', 'fallback'],
    check: (inline, at) => {
      if (!Number.isInteger(inline['timestamp']))
        throw new ContentFault('must be a number', `${at}/timestamp`);
      requireText(inline['format'], `${at}/format`);
    },
  },
};
const inlineTypes = Object.keys(inlines);

const styles = ['bold', 'italic', 'strike', 'underline', 'code', 'highlight', 'client_highlight', 'unlink'];

function checkInline(inline: Json, at: string): void {
  const kind = inlines[String(inline['type'])];
  refuseUnknownFields(inline, ['type', 'style', ...(kind?.fields ?? [])], at);
  kind?.check(inline, at);
  if (inline['style'] === undefined) return;
  const style = requireObject(inline['style'], `${at}/style`);
  refuseUnknownFields(style, styles, `${at}/style`);
  for (const [name, value] of Object.entries(style)) {
    if (typeof value !== 'boolean') throw new ContentFault('must be true or false', `${at}/style/${name}`);
  }
}

function checkLink(link: Json, at: string): void {
  const url = requireText(link['url'], `${at}/url`, 3_000);
  if (!URL.canParse(url) || !/^(https?|mailto|tel|slack):/i.test(url))
    throw new ContentFault('must be a valid URL', `${at}/url`);
  if (link['text'] !== undefined) requireText(link['text'], `${at}/text`);
}

function requireId(value: unknown, letters: string, at: string): void {
  if (!new RegExp(`^[${letters}][A-Z0-9]+$`).test(requireText(value, at)))
    throw new ContentFault('must be an id', at);
}
