import type { OpenChannel, ParsedWebhook, RawRequest, Verified } from '../../gateway.ts';
import { settingsOf } from '../channel.ts';
import { referenceFrom } from '../reference.ts';
import type { TeamsTexts } from '../texts.ts';
import { activityOf } from './activity.ts';
import { parseDeletion, parseEdit, parseReactions } from './parse-change.ts';
import { contextOf } from './parse-context.ts';
import { parseInvoke } from './parse-invoke.ts';
import { parseConversationUpdate, parseInstallation } from './parse-membership.ts';
import { parseMessage } from './parse-message.ts';

/** What an activity tells, by the settings of the channel that it belongs to. Nothing but reading: no calls, no clock. */
export function parseTeams(
  request: Verified<RawRequest>,
  channel: OpenChannel,
  texts: TeamsTexts,
): ParsedWebhook {
  const activity = activityOf(request);
  const kind = /^\w{1,60}$/.test(activity.type ?? '') ? activity.type : 'unknown';
  const context = contextOf(activity, { replies: settingsOf(channel).replies, texts });
  if (!context) return { events: [{ kind: 'unsupported', reason: `${kind} without what identifies it` }] };
  switch (kind) {
    case 'message':
      return { events: [parseMessage(context)], references: referenceFrom(context) };
    case 'messageUpdate':
      return { events: [parseEdit(context)] };
    case 'messageDelete':
      return { events: [parseDeletion(context)] };
    case 'messageReaction':
      return { events: parseReactions(context) };
    case 'conversationUpdate':
      return parseConversationUpdate(context);
    case 'installationUpdate':
      return parseInstallation(context);
    case 'invoke':
      return parseInvoke(context);
    default:
      return { events: [{ kind: 'unsupported', reason: kind ?? 'unknown' }] };
  }
}
