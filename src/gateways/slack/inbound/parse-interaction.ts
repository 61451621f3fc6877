import type { InboundEvent, ParsedWebhook } from '../../gateway.ts';
import { toPlainText } from './inbound-text.ts';
import { parseActions } from './parse-action.ts';
import type { ParseContext } from './parse-context.ts';
import { parseSubmission } from './parse-view.ts';
import { type Fields, fieldsOf, idOf, kindOf, textOf, timeStampOf } from './payload-fields.ts';

/** What somebody does with a button, a menu, a shortcut or a form, and the answer that Slack waits for. */
export function parseInteraction(fields: Fields, context: ParseContext): ParsedWebhook {
  switch (fields['type']) {
    case 'block_actions':
      return { events: parseActions(fields, context) };
    case 'shortcut':
    case 'message_action':
      return { events: [parseShortcut(fields)] };
    case 'view_submission':
      return parseSubmission(fields, context);
    case 'block_suggestion':
      return {
        events: [{ kind: 'unsupported', reason: 'block_suggestion' }],
        reply: { status: 200, contentType: 'application/json; charset=utf-8', body: '{"options":[]}' },
      };
    default:
      return { events: [{ kind: 'unsupported', reason: kindOf(fields['type']) }] };
  }
}

/**
 * A shortcut of the app, or of a message: the person gets a form to ask in. `details`: `{ triggerId, user, callbackId?,
 * messageText?, channel?, threadTs? }`.
 *
 * @see https://docs.slack.dev/interactivity/implementing-shortcuts/
 */
function parseShortcut(fields: Fields): InboundEvent {
  const triggerId = textOf(fields['trigger_id']);
  const user = idOf(fieldsOf(fields['user'])['id']);
  if (triggerId === undefined || user === undefined)
    return { kind: 'unsupported', reason: `${kindOf(fields['type'])} without its user or trigger` };

  const message = fieldsOf(fields['message']);
  const callbackId = textOf(fields['callback_id']);
  const messageText = toPlainText(textOf(message['text']) ?? '', new Set());
  const channel = idOf(fieldsOf(fields['channel'])['id']);
  const threadTs =
    timeStampOf(message['thread_ts']) ?? timeStampOf(fields['message_ts']) ?? timeStampOf(message['ts']);
  return {
    kind: 'opening',
    view: 'question',
    details: {
      triggerId,
      user,
      ...(callbackId && { callbackId }),
      ...(messageText && { messageText }),
      ...(channel && { channel }),
      ...(threadTs && { threadTs }),
    },
  };
}
