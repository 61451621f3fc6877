import type { ParsedWebhook } from '../../gateway.ts';
import { referenceFrom } from '../reference.ts';
import type { Context } from './parse-context.ts';

const removed = 'The Teams app was removed there; it can be written to again once it is installed again.';

/** `conversationUpdate`: who came and went. Only our own coming and going matters: it says where we may write. */
export function parseConversationUpdate(context: Context): ParsedWebhook {
  const { activity } = context;
  const botId = activity.recipient?.id;
  const isUs = (member: { id?: string | undefined } | undefined) =>
    botId !== undefined && member?.id === botId;
  const reason = `conversationUpdate/${activity.channelData?.eventType ?? 'members'}`;
  return {
    events: [{ kind: 'unsupported', reason }],
    ...(activity.membersAdded?.some(isUs) && { references: referenceFrom(context) }),
    ...(activity.membersRemoved?.some(isUs) && { references: referenceFrom(context, removed) }),
  };
}

/**
 * `installationUpdate`: a person, a group or a team has added or removed the app. The others go on as they are, so the
 * channel does too.
 */
export function parseInstallation(context: Context): ParsedWebhook {
  const { action = 'unknown' } = context.activity;
  const events = [{ kind: 'unsupported', reason: `installationUpdate/${action}` }] as const;
  if (action.startsWith('remove')) return { events, references: referenceFrom(context, removed) };
  return { events, ...(action.startsWith('add') && { references: referenceFrom(context) }) };
}
