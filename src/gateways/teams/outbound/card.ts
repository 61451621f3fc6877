import { z } from 'zod';
import { buttonField } from '../inbound/parse-action.ts';
import type { TeamsTexts } from '../texts.ts';

/** Something that stands below the text of a message, or in place of it. */
export type TeamsAttachment = { contentType: string; content: object; name?: string; contentUrl?: string };

const cardType = 'application/vnd.microsoft.card.adaptive';

/** One that a card cannot hold is left out: a value that was cut would say something else. */
const buttonSchema = z.object({ label: z.string().min(1), value: z.string().min(1).max(1_000) });
export type Button = z.infer<typeof buttonSchema>;
const labelLengthMax = 80;
const buttonsMax = 12;
/** Teams hides those of a set that are more than this. */
const buttonsPerSet = 6;

/** What an agent adds to its answer is foreign: entries of another form are left out. */
export function readButtons(value: unknown): Button[] {
  if (!Array.isArray(value)) return [];
  return value
    .flatMap((entry: unknown) => {
      const read = buttonSchema.safeParse(entry);
      return read.success ? [read.data] : [];
    })
    .slice(0, buttonsMax);
}

/**
 * A card of buttons. They are Universal Actions, which Teams waits for the answer of; an older client sends the same by
 * Action.Submit. https://learn.microsoft.com/adaptive-cards/authoring-cards/universal-action-model
 */
export function buttonCard(buttons: readonly Button[]): TeamsAttachment {
  const actions = buttons.map(({ label, value }, index) => {
    const title = shorten(label);
    const data = { [buttonField]: { label: title, value } };
    return {
      ...{ type: 'Action.Execute', title, verb: `swarmgate_button_${index}`, data },
      fallback: { type: 'Action.Submit', title, data },
    };
  });
  const sets = Array.from({ length: Math.ceil(actions.length / buttonsPerSet) }, (_, set) => ({
    type: 'ActionSet',
    actions: actions.slice(set * buttonsPerSet, (set + 1) * buttonsPerSet),
  }));
  return card(sets);
}

/** The form that asks for a question, where somebody opens it (`task/fetch`). */
export function questionCard({ label, submit }: TeamsTexts['question']): TeamsAttachment {
  return card(
    [{ type: 'Input.Text', id: 'question', label, isMultiline: true, isRequired: true, errorMessage: label }],
    [{ type: 'Action.Submit', title: submit }],
  );
}

function card(body: readonly object[], actions?: readonly object[]): TeamsAttachment {
  return {
    contentType: cardType,
    content: {
      ...{
        type: 'AdaptiveCard',
        $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
        version: '1.4',
      },
      body,
      ...(actions && { actions }),
    },
  };
}

function shorten(text: string): string {
  if (text.length <= labelLengthMax) return text;
  let shown = '';
  for (const { segment } of graphemes.segment(text.slice(0, labelLengthMax))) {
    if (shown.length + segment.length >= labelLengthMax) break;
    shown += segment;
  }
  return `${shown}…`;
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
