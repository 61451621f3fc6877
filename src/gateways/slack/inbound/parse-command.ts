import type { ParsedWebhook, WebhookReply } from '../../gateway.ts';
import { writePlace } from '../places.ts';
import { toPlainText } from './inbound-text.ts';
import { type ParseContext, participantOf } from './parse-context.ts';
import { type Fields, idOf, textOf } from './payload-fields.ts';

/**
 * A slash command: with a text it is a question, answered in a direct message, since a command leaves nothing in its
 * channel to answer at; without one the person gets a form to write it in (opening `question`).
 *
 * @see https://docs.slack.dev/interactivity/implementing-slash-commands/
 */
export function parseCommand(fields: Fields, { team, botUserIds }: ParseContext): ParsedWebhook {
  const user = idOf(fields['user_id']);
  const channel = idOf(fields['channel_id']);
  const triggerId = textOf(fields['trigger_id']);
  const command = textOf(fields['command']);
  if (user === undefined || triggerId === undefined)
    return { events: [{ kind: 'unsupported', reason: 'command without its user or trigger' }] };

  const text = toPlainText(textOf(fields['text']) ?? '', botUserIds);
  if (text === '') return { events: [{ kind: 'opening', view: 'question', details: { triggerId, user } }] };
  return {
    events: [
      {
        kind: 'message',
        key: `command/${team}/${triggerId}`,
        conversationExternalId: writePlace({ kind: 'direct', user }),
        participant: participantOf(user, { name: textOf(fields['user_name']), team }),
        text,
        content: { slack: { team, ...(channel && { channel }), user, ...(command && { command }) } },
      },
    ],
    reply: onlyForYou('You will have the answer as a direct message.'),
  };
}

function onlyForYou(text: string): WebhookReply {
  return {
    status: 200,
    contentType: 'application/json; charset=utf-8',
    body: JSON.stringify({ response_type: 'ephemeral', text }),
  };
}
