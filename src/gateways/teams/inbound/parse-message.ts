import type { InboundEvent, InboundMessage } from '../../gateway.ts';
import { messageKey, threadOf, writePlace } from '../places.ts';
import { attachmentsOf } from './attachments.ts';
import { isMentioned, textOfActivity } from './inbound-text.ts';
import { parseAction } from './parse-action.ts';
import { type Context, detailsOf, isFromBot, participantOf, placeOfContext } from './parse-context.ts';

/** A `message`: something that was said, or a button of the older kind (Action.Submit), which comes as one without text. */
export function parseMessage(context: Context): InboundEvent {
  const { activity, tenant, conversationId } = context;
  if (isFromBot(activity)) return { kind: 'unsupported', reason: 'from a bot' };
  const { id } = activity;
  if (id === undefined) return { kind: 'unsupported', reason: 'message without an id' };
  if (activity.value && !activity.text?.trim()) return parseAction(context, activity.value, undefined);

  const hearing = hear(context);
  if (!hearing) return { kind: 'unsupported', reason: 'not addressed' };
  const text = textOfActivity(activity);
  const attachments = attachmentsOf(activity);
  if (text === '' && attachments.length === 0)
    return { kind: 'unsupported', reason: 'message without content' };
  return {
    kind: 'message',
    key: messageKey(tenant, { conversationId, id }),
    conversationExternalId: writePlace(placeOfContext(context)),
    participant: participantOf(context),
    text,
    content: { teams: detailsOf(context) },
    ...hearing,
    ...(attachments.length > 0 && { attachments }),
  };
}

type Hearing = Pick<InboundMessage, 'needsAnswer' | 'onlyIfKnown'>;

/** Whether it is for us; the rule stands at `teamsReplyPolicies`. Of a group Teams tells all only with a consent (RSC). */
function hear(context: Context): Hearing | undefined {
  const { activity, scope, conversationId, replies } = context;
  if (scope === 'personal' || isMentioned(activity)) return {};
  const thread = scope === 'channel' ? threadOf(conversationId) : undefined;
  if (thread === undefined || thread === activity.id) return undefined;
  return { onlyIfKnown: true, ...(replies === 'mentions' && { needsAnswer: false }) };
}
