import { toPlainText } from './inbound-text.ts';
import { type Fields, rowsOf, textOf } from './payload-fields.ts';

/** The user that Slack itself speaks as. */
const slackbot = 'USLACKBOT';

/** Whether a message is a bot's or an app's, ours among them. */
export function isFromBot(message: Fields, botUserIds: ReadonlySet<string>): boolean {
  const { user, bot_id: bot, app_id: app, subtype } = message as Record<string, unknown>;
  if (subtype === 'bot_message' || textOf(bot) !== undefined || textOf(app) !== undefined) return true;
  // Files that a bot shares come without its bot id.
  return user === slackbot || botUserIds.has(textOf(user) ?? '');
}

/** What a message says, plain: its own text, and messages that it forwards behind it. */
export function messageTextOf(message: Fields, botUserIds: ReadonlySet<string>): string {
  const own = toPlainText(textOf(message['text']) ?? '', botUserIds);
  const forwarded = rowsOf(message['attachments'])
    .filter((attachment) => attachment['is_share'] === true)
    .map((attachment) => toPlainText(textOf(attachment['text']) ?? '', new Set()))
    .filter((text) => text !== '')
    .map((text) => `> ${text.replaceAll('\n', '\n> ')}`);
  return [own, ...forwarded].filter((text) => text !== '').join('\n\n');
}
