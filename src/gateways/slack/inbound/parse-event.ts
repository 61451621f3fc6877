import type { InboundEvent } from '../../gateway.ts';
import { installAgain } from '../../install-pause.ts';
import { parseReaction } from './parse-change.ts';
import type { ParseContext } from './parse-context.ts';
import { parseMessage } from './parse-message.ts';
import { type Fields, fieldsOf, idOf, kindOf, textOf, timeStampOf } from './payload-fields.ts';

/**
 * What an event of the Events API tells.
 *
 * @see https://docs.slack.dev/reference/events/
 */
export function parseEvent(fields: Fields, context: ParseContext): InboundEvent {
  if (fields['type'] !== 'event_callback') return { kind: 'unsupported', reason: kindOf(fields['type']) };
  const event = fieldsOf(fields['event']);
  switch (event['type']) {
    case 'message':
    case 'app_mention':
      return parseMessage(event, context, idOf(fields['event_id']));
    case 'reaction_added':
    case 'reaction_removed':
      return parseReaction(event, context);
    case 'app_home_opened':
      return parseHome(event);
    case 'assistant_thread_started':
    case 'assistant_thread_context_changed':
      return parseAssistant(event);
    case 'app_uninstalled':
      return { kind: 'disconnected', reason: uninstalled };
    case 'tokens_revoked':
      return parseRevocation(event);
    default:
      return { kind: 'unsupported', reason: kindOf(event['type']) };
  }
}

const howToReturn = `${installAgain}, or apply the file again with a new botToken.`;
const uninstalled = `The Slack app was removed from the workspace. ${howToReturn}`;
const revoked = `The bot token of the Slack app was revoked. ${howToReturn}`;

/** `details`: `{ user, tab }`. */
function parseHome(event: Fields): InboundEvent {
  const user = idOf(event['user']);
  if (event['tab'] !== 'home' || user === undefined)
    return { kind: 'unsupported', reason: `app_home_opened/${kindOf(event['tab'])}` };
  return { kind: 'opening', view: 'home', details: { user, tab: 'home' } };
}

/** `details`: `{ channel, threadTs, user?, changed, context: { channel?, team?, enterprise? } }`. */
function parseAssistant(event: Fields): InboundEvent {
  const thread = fieldsOf(event['assistant_thread']);
  const channel = idOf(thread['channel_id']);
  const threadTs = timeStampOf(thread['thread_ts']);
  if (channel === undefined || threadTs === undefined)
    return { kind: 'unsupported', reason: `${kindOf(event['type'])} without a thread` };

  const user = idOf(thread['user_id']);
  const seen = fieldsOf(thread['context']);
  const viewed = { channel: seen['channel_id'], team: seen['team_id'], enterprise: seen['enterprise_id'] };
  const known = Object.entries(viewed).filter(([, id]) => idOf(id) !== undefined);
  return {
    kind: 'opening',
    view: 'assistant',
    details: {
      channel,
      threadTs,
      ...(user && { user }),
      changed: event['type'] === 'assistant_thread_context_changed',
      context: Object.fromEntries(known),
    },
  };
}

/** Tokens of persons are none of ours: only the bot’s ends the connection. */
function parseRevocation(event: Fields): InboundEvent {
  const { bot } = fieldsOf(event['tokens']) as { bot?: unknown };
  const isOurs = Array.isArray(bot) && bot.some((user) => textOf(user) !== undefined);
  return isOurs
    ? { kind: 'disconnected', reason: revoked }
    : { kind: 'unsupported', reason: 'tokens_revoked/oauth' };
}
