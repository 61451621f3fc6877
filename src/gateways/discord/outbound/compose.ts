import { readButtons, readSources, shorten } from '../../answer-extras.ts';
import type { OutboundMessage } from '../../gateway.ts';
import { buttonPrefix } from '../inbound/parse-interaction.ts';
import { discordParts, escapeText } from './render.ts';

/** What one message shows. */
export type DiscordPart = { content: string; embeds: readonly object[]; components: readonly object[] };

/** An answer as the messages that show it: its text, the places it rests on, and what can be pressed below the last. */
export function composeParts(
  { text, content, attachments }: Pick<OutboundMessage, 'text' | 'content' | 'attachments'>,
  sourcesTitle: string,
): DiscordPart[] {
  const sources = readSources(content['sources']);
  const buttons = readButtons(content['buttons']).filter(({ value }) => value.length <= valueLengthMax);
  const isTextNeeded = text.trim() !== '' || sources.length + buttons.length + attachments.length === 0;
  const texts = isTextNeeded ? discordParts(text) : sources.length + buttons.length > 0 ? [''] : [];
  return texts.map((content, index) => {
    const isLast = index === texts.length - 1;
    return {
      content,
      embeds: isLast && sources.length > 0 ? [describeSources(sources, sourcesTitle)] : [],
      components: isLast ? describeButtons(buttons) : [],
    };
  });
}

/** A custom id has 100 characters, and ours begin with a prefix and a number. */
const valueLengthMax = 100 - buttonPrefix.length - '24:'.length;
const labelLengthMax = 80;
const rowLength = 5;
const buttonsMax = 25;
const descriptionLengthMax = 4_000;

function describeSources(sources: ReturnType<typeof readSources>, title: string): object {
  const lines = sources.map(({ title: name, url }, index) => {
    const label = escapeText(shorten(name, 150));
    return `${index + 1}. ${url === undefined ? label : `[${label}](${url.replaceAll(')', '%29')})`}`;
  });
  const description = lines.reduce((all, line) =>
    all.length + line.length < descriptionLengthMax ? `${all}\n${line}` : all,
  );
  return { title, description };
}

/** @see https://discord.com/developers/docs/components/reference#button */
function describeButtons(buttons: ReturnType<typeof readButtons>): object[] {
  const all = buttons.slice(0, buttonsMax).map(({ label, value }, index) => ({
    ...{ type: 2, style: 2, label: shorten(label, labelLengthMax) },
    // The number keeps apart what has the same value; a message may not have two of one id.
    custom_id: `${buttonPrefix}${index}:${value}`,
  }));
  return Array.from({ length: Math.ceil(all.length / rowLength) }, (_, row) => ({
    type: 1,
    components: all.slice(row * rowLength, (row + 1) * rowLength),
  }));
}
