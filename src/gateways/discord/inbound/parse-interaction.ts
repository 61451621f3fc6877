import type { InboundEvent, OpenChannel, ParsedWebhook } from '../../gateway.ts';
import type { DiscordTexts } from '../texts.ts';
import { readText } from './inbound-text.ts';
import { type Spoken, spokenOf } from './interaction-place.ts';
import * as replies from './interaction-replies.ts';
import { interactionTypes } from './interaction-types.ts';
import { type Fields, fieldsOf, kindOf, rowsOf, textOf } from './payload.ts';
import type { Tickets } from './ticket.ts';

export type InteractionContext = {
  channel: OpenChannel;
  tickets: Tickets;
  texts: DiscordTexts;
  nowMs: number;
};

const commandTypes = { slash: 1, user: 2, message: 3 } as const;

/**
 * What somebody does with a command, a button, a menu or a form, and what Discord shows at once: what needs an answer
 * shows that somebody is at work on it, and becomes the answer.
 */
export function parseInteraction(fields: Fields, context: InteractionContext): ParsedWebhook {
  const spoken = spokenOf(fields);
  if (!spoken) return refuse('interaction without its user, channel or token', context);
  switch (fields['type']) {
    case interactionTypes.command:
      return parseCommand(fields, spoken, context);
    case interactionTypes.component:
      return parseComponent(fields, spoken, context);
    case interactionTypes.autocomplete:
      return { events: [{ kind: 'unsupported', reason: 'autocomplete' }], reply: replies.noChoices() };
    case interactionTypes.modal:
      return parseModal(fields, spoken, context);
    default:
      return refuse(`interaction/type ${kindOf(fields['type'])}`, context);
  }
}

function parseCommand(fields: Fields, spoken: Spoken, context: InteractionContext): ParsedWebhook {
  const { texts } = context;
  const data = fieldsOf(fields['data']);
  switch (data['type'] ?? commandTypes.slash) {
    case commandTypes.message: {
      const target = fieldsOf(fieldsOf(fieldsOf(data['resolved'])['messages'])[String(data['target_id'])]);
      const text = readText(target, new Set());
      return text === ''
        ? refuse('a message without a text', context)
        : ask('message', text, spoken, context);
    }
    case commandTypes.slash: {
      if (data['name'] === texts.commands.server.name)
        return {
          events: [{ kind: 'unsupported', reason: 'the command of direct messages' }],
          reply: replies.onlyForYou(texts.direct.onlyDirect),
        };
      const text = optionsOf(data).join(' ').trim();
      if (text !== '') return ask('message', text, spoken, context);
      return {
        events: [{ kind: 'unsupported', reason: 'a form is shown' }],
        reply: replies.questionForm(texts.question),
      };
    }
    default:
      return refuse(`command/type ${kindOf(data['type'])}`, context);
  }
}

/** The texts of a command's options; those of a command of ours is one, the question. */
function optionsOf(data: Fields): string[] {
  return rowsOf(data['options']).flatMap(({ value, options }) =>
    value === undefined ? optionsOf({ options }) : [String(value)],
  );
}

// A button says in words what it does: its label is what the person has said by it.
function parseComponent(fields: Fields, spoken: Spoken, context: InteractionContext): ParsedWebhook {
  const { custom_id: id, values } = fieldsOf(fields['data']);
  const component = componentsOf(fields['message']).find((one) => one['custom_id'] === id);
  const chosen = Array.isArray(values) ? values.map(String) : [];
  const labels = rowsOf(component?.['options'])
    .filter(({ value }) => chosen.includes(String(value)))
    .map(({ label }) => textOf(label) ?? '');
  const text = [textOf(component?.['label']) ?? '', ...labels].filter((label) => label !== '').join(', ');
  const value = chosen.length > 0 ? chosen.join(', ') : textOf(id);
  const said = text || value;
  if (said === undefined) return refuse('a component without an id', context);
  return ask('action', said, spoken, context, { ...(value && { value: withoutPrefix(value) }) });
}

/** Our own buttons carry their value behind this. */
export const buttonPrefix = 'swarmgate:button:';

function withoutPrefix(value: string): string {
  return value.startsWith(buttonPrefix) ? value.slice(buttonPrefix.length).replace(/^\d+:/, '') : value;
}

function componentsOf(message: unknown): Fields[] {
  return rowsOf(fieldsOf(message)['components']).flatMap((row) => [row, ...rowsOf(row['components'])]);
}

function parseModal(fields: Fields, spoken: Spoken, context: InteractionContext): ParsedWebhook {
  const rows = rowsOf(fieldsOf(fields['data'])['components']);
  const inputs = rows.flatMap((row) => [...rowsOf(row['components']), fieldsOf(row['component'])]);
  const text = inputs
    .map(({ value }) => textOf(value) ?? '')
    .join('\n')
    .trim();
  return text === '' ? refuse('an empty form', context) : ask('message', text, spoken, context);
}

function ask(
  kind: 'message' | 'action',
  text: string,
  spoken: Spoken,
  { channel, tickets, nowMs }: InteractionContext,
  action?: { value?: string },
): ParsedWebhook {
  const { interactionId, applicationId, token, place, participant, guild, at } = spoken;
  const event: InboundEvent = {
    kind,
    key: `interaction/${interactionId}`,
    conversationExternalId: place,
    participant,
    text,
    content: {
      discord: {
        ...{ ...(guild && { guild }), channel: at, interaction: interactionId, user: participant.externalId },
        ticket: tickets.seal(channel, { applicationId, interactionId, token }),
        askedAt: new Date(nowMs).toISOString(),
      },
      ...(action && { action }),
    },
  };
  return { events: [event], reply: replies.atWork() };
}

function refuse(reason: string, { texts }: InteractionContext): ParsedWebhook {
  return { events: [{ kind: 'unsupported', reason }], reply: replies.onlyForYou(texts.unsupported) };
}
