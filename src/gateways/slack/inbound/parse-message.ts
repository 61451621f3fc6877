import type { InboundEvent, InboundMessage } from '../../gateway.ts';
import { messageKey, type SlackPlace, writePlace } from '../places.ts';
import { mentions } from './inbound-text.ts';
import { parseDeletion, parseEdit } from './parse-change.ts';
import { isDirect, type ParseContext, participantOf } from './parse-context.ts';
import { type Fields, fieldsOf, idOf, kindOf, textOf, timeStampOf } from './payload-fields.ts';
import { attachmentsOf } from './payload-files.ts';
import { isFromBot, messageTextOf } from './payload-message.ts';

/** A `message` event of whatever subtype, or an `app_mention`, which tells of the same message once more. */
export function parseMessage(event: Fields, context: ParseContext, eventId?: string): InboundEvent {
  switch (event['subtype']) {
    case undefined:
    case null:
    case 'file_share':
    case 'thread_broadcast':
    case 'me_message':
      return parseNewMessage(event, context, eventId);
    case 'message_changed':
      return parseEdit(event, context);
    case 'message_deleted':
      return parseDeletion(event, context);
    default:
      return { kind: 'unsupported', reason: `message/${kindOf(event['subtype'])}` };
  }
}

function parseNewMessage(event: Fields, context: ParseContext, eventId: string | undefined): InboundEvent {
  // Of bots nothing is answered: two of them would never stop.
  if (isFromBot(event, context.botUserIds)) return { kind: 'unsupported', reason: 'from a bot' };
  const said = readMessage(event);
  if (!said) return { kind: 'unsupported', reason: 'message without author, channel or time stamp' };

  const hearing = hear(event, said, context);
  if (hearing.kind === 'unsupported') return hearing;
  const { channel, ts, threadTs, user } = said;
  const text = messageTextOf(event, context.botUserIds);
  const attachments = attachmentsOf(event);
  if (text === '' && attachments.length === 0)
    return { kind: 'unsupported', reason: 'message without content' };
  return {
    kind: 'message',
    key: messageKey(context.team, said),
    conversationExternalId: writePlace(hearing.place),
    participant: participantOf(user, { name: nameOf(event), team: homeOf(event) ?? context.team }),
    text,
    content: {
      slack: {
        team: context.team,
        channel,
        ts,
        ...(threadTs && { threadTs }),
        user,
        ...(eventId && { eventId }),
      },
    },
    ...hearing.with,
    ...(attachments.length > 0 && { attachments }),
  };
}

type Said = { channel: string; ts: string; user: string; threadTs: string | undefined };

function readMessage(event: Fields): Said | undefined {
  const channel = idOf(event['channel']);
  const ts = timeStampOf(event['ts']);
  const user = idOf(event['user']);
  if (channel === undefined || ts === undefined || user === undefined) return undefined;
  const threadTs = timeStampOf(event['thread_ts']);
  // A message that has got replies is in its own thread, by its own time stamp: still outside one.
  return { channel, ts, user, threadTs: threadTs === ts ? undefined : threadTs };
}

type Hearing =
  | { kind: 'heard'; place: SlackPlace; with?: Pick<InboundMessage, 'needsAnswer' | 'onlyIfKnown'> }
  | { kind: 'unsupported'; reason: string };

/** Where a message is answered, and whether. The rule stands at `slackReplyPolicies`. */
function hear(event: Fields, said: Said, { botUserIds, replies }: ParseContext): Hearing {
  const { channel, ts, threadTs, user } = said;
  if (isDirect(channel, event['channel_type'])) {
    const place = threadTs ? ({ kind: 'thread', channel, threadTs } as const) : undefined;
    return { kind: 'heard', place: place ?? { kind: 'direct', user } };
  }

  if (isMentioned(event, botUserIds)) {
    const staysOutside = replies === 'in_thread' && threadTs === undefined;
    return {
      kind: 'heard',
      place: staysOutside
        ? { kind: 'channel', channel }
        : { kind: 'thread', channel, threadTs: threadTs ?? ts },
    };
  }
  if (threadTs === undefined) return { kind: 'unsupported', reason: 'not addressed' };
  const needsAnswer = replies !== 'mentions';
  // Kept without an answer, it would hide its twin `app_mention`, which tells the mention that cannot be seen here.
  if (!needsAnswer && botUserIds.size === 0) return { kind: 'unsupported', reason: 'bot user not known' };
  return {
    kind: 'heard',
    place: { kind: 'thread', channel, threadTs },
    with: { onlyIfKnown: true, needsAnswer },
  };
}

function isMentioned(event: Fields, botUserIds: ReadonlySet<string>): boolean {
  return event['type'] === 'app_mention' || mentions(textOf(event['text']) ?? '', botUserIds);
}

function nameOf(event: Fields): string | undefined {
  const profile = fieldsOf(event['user_profile']);
  return textOf(profile['display_name']) ?? textOf(profile['real_name']) ?? textOf(profile['name']);
}

/** The workspace that the author belongs to; in Slack Connect it may be another company’s. */
function homeOf(event: Fields): string | undefined {
  return idOf(event['user_team']) ?? idOf(event['team']);
}
