import type { InboundEvent, ParsedWebhook } from '../../gateway.ts';
import { writePlace } from '../places.ts';
import { type ParseContext, participantOfInteraction } from './parse-context.ts';
import { type Fields, fieldsOf, idOf, rowsOf, textOf } from './payload-fields.ts';
import { attachmentsOf } from './payload-files.ts';
import { labelOf, valueTextOf } from './payload-values.ts';

/** The form that the gateway opens itself, and its one field. */
const questionForm = 'swarmgate_question';
const questionBlock = 'question';

/**
 * A form that somebody has sent. An empty 200 closes it. Of our own form the question is a message; any other is an
 * action, whose text lists what was filled in.
 *
 * @see https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload/
 */
export function parseSubmission(fields: Fields, context: ParseContext): ParsedWebhook {
  const view = fieldsOf(fields['view']);
  const user = idOf(fieldsOf(fields['user'])['id']);
  const id = idOf(view['id']);
  const hash = textOf(view['hash']);
  if (user === undefined || id === undefined || hash === undefined)
    return { events: [{ kind: 'unsupported', reason: 'view_submission without what identifies it' }] };

  const answers = answersOf(view);
  const callbackId = textOf(view['callback_id']);
  const isQuestion = callbackId === questionForm;
  const text = isQuestion ? questionIn(answers) : listOf(answers);
  if (isQuestion && text === '') return askAgain();

  const { team } = context;
  const attachments = answers.flatMap(({ values }) => values.flatMap(attachmentsOf));
  const event: InboundEvent = {
    kind: isQuestion ? 'message' : 'action',
    key: `view/${team}/${id}/${hash}`,
    conversationExternalId: writePlace({ kind: 'direct', user }),
    participant: participantOfInteraction(user, fields, team),
    text: text || titleOf(view) || id,
    content: { slack: { team, user, view: { id, ...(callbackId && { callbackId }) } } },
    ...(attachments.length > 0 && { attachments }),
  };
  return { events: [event] };
}

/** What was filled in for one block; the block's id and label name it. */
type Answer = { blockId: string; label: string | undefined; values: readonly Fields[]; text: string };

function answersOf(view: Fields): Answer[] {
  const labels = new Map(
    rowsOf(view['blocks']).map((block) => [block['block_id'], labelOf({ text: block['label'] })]),
  );
  return Object.entries(fieldsOf(fieldsOf(view['state'])['values'])).map(([blockId, filled]) => {
    const values = Object.values(fieldsOf(filled)).map(fieldsOf);
    const texts = values.map(valueTextOf).filter((text) => text !== undefined);
    return { blockId, label: labels.get(blockId), values, text: texts.join(', ').trim() };
  });
}

function questionIn(answers: readonly Answer[]): string {
  return answers.find(({ blockId }) => blockId === questionBlock)?.text ?? '';
}

function listOf(answers: readonly Answer[]): string {
  return answers
    .filter(({ text }) => text !== '')
    .map(({ label, blockId, text }) => `${label ?? blockId}: ${text}`)
    .join('\n');
}

function titleOf(view: Fields): string | undefined {
  return labelOf({ text: view['title'] });
}

/** The form stays open and says what is missing. */
function askAgain(): ParsedWebhook {
  return {
    events: [{ kind: 'unsupported', reason: 'view_submission without a question' }],
    reply: {
      status: 200,
      contentType: 'application/json; charset=utf-8',
      body: JSON.stringify({
        response_action: 'errors',
        errors: { [questionBlock]: 'Please write a question.' },
      }),
    },
  };
}
