import type { SlackTexts } from '../texts.ts';

const questionLengthMax = 3_000;

/**
 * The form in which a person asks. What is sent comes back as `view_submission` with this callback id.
 *
 * @see https://docs.slack.dev/reference/views/modal-views/
 */
export function questionView(texts: SlackTexts['question'], quoted: string | undefined) {
  const input = {
    ...{ type: 'plain_text_input', action_id: 'question', multiline: true, max_length: questionLengthMax },
    ...(quoted && { initial_value: quoted.slice(0, questionLengthMax) }),
  };
  return {
    ...{ type: 'modal', callback_id: 'swarmgate_question' },
    ...{ title: plain(texts.title), submit: plain(texts.submit), close: plain(texts.close) },
    blocks: [{ type: 'input', block_id: 'question', label: plain(texts.label), element: input }],
  };
}

function plain(text: string) {
  return { type: 'plain_text', text, emoji: false };
}
