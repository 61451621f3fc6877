import type { InboundEvent } from '../../gateway.ts';
import { writeMessageId, writePlace } from '../places.ts';
import { type Context, detailsOf, participantOf, placeOfContext } from './parse-context.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Behind this name our cards put what their buttons say: see `outbound/card.ts`. */
export const buttonField = 'swarmgate';

const textLengthMax = 4_000;

/**
 * A button of a card was pressed. `data` is what the card's author put behind it, with the inputs of the card; ours say
 * their label, others the first of their own words.
 */
export function parseAction(context: Context, data: Fields, verb: string | undefined): InboundEvent {
  const { activity, tenant, conversationId } = context;
  const { id } = activity;
  if (id === undefined) return { kind: 'unsupported', reason: 'action without an id' };
  const { label, value } = buttonOf(data);
  const text = label ?? textFrom(data, verb);
  if (text === undefined) return { kind: 'unsupported', reason: 'action that says nothing' };
  return {
    kind: 'action',
    key: `action/${tenant}/${writeMessageId({ conversationId, id })}`,
    conversationExternalId: writePlace(placeOfContext(context)),
    participant: participantOf(context),
    text: text.slice(0, textLengthMax).toWellFormed(),
    content: {
      teams: { ...detailsOf(context), action: { ...(verb && { verb }), ...(value && { value }) } },
    },
  };
}

function buttonOf(data: Fields): { label?: string; value?: string } {
  const { label, value } = (data[buttonField] ?? {}) as Fields;
  return { ...(isText(label) && { label }), ...(isText(value) && { value }) };
}

function textFrom(data: Fields, verb: string | undefined): string | undefined {
  const { text, title, value, actionId } = data as Record<string, unknown>;
  return [text, title, value, actionId, verb, ...Object.values(data)].find(isText);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '';
}
