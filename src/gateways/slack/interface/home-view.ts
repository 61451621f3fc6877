import type { OpenChannel } from '../../gateway.ts';
import type { SlackTexts } from '../texts.ts';

const headerLengthMax = 150;

/**
 * The app's home: who answers here and how to write to it. Plain and rich text only, so that no name becomes a mention.
 *
 * @see https://docs.slack.dev/surfaces/app-home/
 */
export function homeView({ agent }: OpenChannel, texts: SlackTexts['home']) {
  const blocks = agent
    ? [header(agent.name), paragraph(texts.about(agent.name)), list(texts.ways)]
    : [paragraph(texts.nobody)];
  return { type: 'home', blocks };
}

function header(text: string) {
  return { type: 'header', text: { type: 'plain_text', text: text.slice(0, headerLengthMax), emoji: false } };
}

function paragraph(text: string) {
  return { type: 'rich_text', elements: [section(text)] };
}

function list(lines: readonly string[]) {
  const elements = [{ type: 'rich_text_list', style: 'bullet', elements: lines.map(section) }];
  return { type: 'rich_text', elements };
}

function section(text: string) {
  return { type: 'rich_text_section', elements: [{ type: 'text', text }] };
}
