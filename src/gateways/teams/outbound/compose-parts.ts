import { z } from 'zod';
import type { OutboundMessage } from '../../gateway.ts';
import type { Block, Inline, Root } from '../../markdown/document.ts';
import { parseMarkdown } from '../../markdown/parse-markdown.ts';
import type { TeamsTexts } from '../texts.ts';
import { type Button, buttonCard, readButtons, type TeamsAttachment } from './card.ts';
import { teamsParts } from './teams-markdown.ts';

/** What one message of Teams shows. */
export type TeamsPart = { text: string; attachments: readonly TeamsAttachment[] };

/** A link by which a file of the answer is read. */
export type FileLink = { name: string; url: string };

/** Teams takes 100 KB of UTF-16 for everything that a message is; what it adds itself has room beside this. */
const payloadUnitsMax = 40_000;
/** More than anybody reads in one piece; buttons have room beside it. */
const textUnitsMax = 20_000;

/**
 * A message as those of Teams that show it: its text with the places that it rests on and the files to fetch, split where
 * it is too long, then what can be pressed.
 */
export function composeParts(
  { text, content }: Pick<OutboundMessage, 'text' | 'content'>,
  files: readonly FileLink[],
  texts: Pick<TeamsTexts, 'sources' | 'files'>,
): TeamsPart[] {
  const buttons = readButtons(content['buttons']);
  const root = parseMarkdown(text);
  const extra = [
    ...listed(texts.sources, readSources(content['sources']), true),
    ...listed(texts.files, files, false),
  ];
  const whole: Root = { type: 'root', children: [...root.children, ...extra] };
  const isSilent = whole.children.length === 0 && buttons.length > 0;
  const parts: TeamsPart[] = isSilent
    ? []
    : teamsParts(whole, textUnitsMax).map((text) => ({ text, attachments: [] }));
  if (buttons.length > 0) {
    const attachments = [largestCard(buttons)];
    const last = parts.at(-1);
    if (last && fits({ text: last.text, attachments }))
      parts[parts.length - 1] = { text: last.text, attachments };
    else parts.push({ text: '', attachments });
  }
  return parts;
}

/** The first message of an answer as it will stand when it is complete, for whoever shows it before. */
export function firstText(markdown: string, texts: Pick<TeamsTexts, 'sources' | 'files'>): string {
  return composeParts({ text: markdown, content: {} }, [], texts)[0]?.text ?? '';
}

/** A message to be sent. `text` is Markdown as Teams reads it. */
export function activityOf({ text, attachments }: TeamsPart): Record<string, unknown> {
  return {
    type: 'message',
    ...(text !== '' && { textFormat: 'markdown', text }),
    ...(attachments.length > 0 && { attachments }),
  };
}

/** A card that is too large for one message does without its last buttons. */
function largestCard(buttons: readonly Button[]): TeamsAttachment {
  const card = buttonCard(buttons);
  const isTaken = buttons.length === 1 || fits({ text: '', attachments: [card] });
  return isTaken ? card : largestCard(buttons.slice(0, -1));
}

function fits(part: TeamsPart): boolean {
  return JSON.stringify(activityOf(part)).length <= payloadUnitsMax;
}

const sourceSchema = z.object({ title: z.string().min(1), url: z.string().optional() });
const sourcesMax = 10;
const titleLengthMax = 150;
const urlLengthMax = 800;

function readSources(value: unknown): { name: string; url: string | undefined }[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, sourcesMax).flatMap((entry: unknown) => {
    const read = sourceSchema.safeParse(entry);
    if (!read.success) return [];
    const { title, url } = read.data;
    const isWeb = url !== undefined && url.length <= urlLengthMax && /^https?:\/\//.test(url);
    return [{ name: title.slice(0, titleLengthMax).toWellFormed(), url: isWeb ? url : undefined }];
  });
}

// As nodes, and not as Markdown: no title becomes a mention or a format.
function listed(
  title: string,
  items: readonly { name: string; url: string | undefined }[],
  ordered: boolean,
): Block[] {
  if (items.length === 0) return [];
  return [
    { type: 'paragraph', children: [{ type: 'strong', children: [{ type: 'text', value: title }] }] },
    {
      type: 'list',
      ordered,
      ...(ordered && { start: 1 }),
      children: items.map(({ name, url }) => {
        const text: Inline = { type: 'text', value: name };
        const shown: Inline = url === undefined ? text : { type: 'link', url, children: [text] };
        return { type: 'listItem', children: [{ type: 'paragraph', children: [shown] }] };
      }),
    },
  ];
}
