import type { InboundEvent, ParsedWebhook, WebhookReply } from '../../gateway.ts';
import { parseHandOver, writeHandOver } from '../hand-over.ts';
import { questionCard } from '../outbound/card.ts';
import { messageKey, type TeamsPlace, writeMessageId, writePlace } from '../places.ts';
import { referenceFrom } from '../reference.ts';
import { parseAction } from './parse-action.ts';
import { type Context, detailsOf, participantOf, placeOfContext } from './parse-context.ts';

type Fields = Readonly<Record<string, unknown>>;

/** An `invoke`: something that Teams waits for the answer of, and shows it. */
export function parseInvoke(context: Context): ParsedWebhook {
  const { activity, texts } = context;
  const value = activity.value ?? {};
  switch (activity.name) {
    case 'adaptiveCard/action':
      return parseCardAction(context, value);
    case 'task/fetch':
    case 'composeExtension/fetchTask':
      return {
        events: [{ kind: 'opening', view: 'question', details: {} }],
        reply: json(200, {
          task: {
            type: 'continue',
            value: { title: texts.question.title, card: questionCard(texts.question) },
          },
        }),
      };
    case 'task/submit':
      return parseQuestion(context, fieldsOf(value['data']));
    case 'composeExtension/submitAction':
      return parseQuestion(context, fieldsOf(value['data']), { kind: 'person', user: context.user });
    case 'fileConsent/invoke':
      return { events: [parseConsent(context, value)], references: referenceFrom(context), reply: json(200) };
    // Nobody signs in by us: there is no state to confirm, and a token is asked for in another way.
    case 'signin/verifyState':
      return { events: [unsupported(activity.name)], reply: json(200) };
    case 'signin/tokenExchange':
      return { events: [unsupported(activity.name)], reply: json(412, { failureDetail: 'not used here' }) };
    default:
      return { events: [unsupported(activity.name ?? 'without a name')], reply: json(200) };
  }
}

/** @see https://learn.microsoft.com/adaptive-cards/authoring-cards/universal-action-model */
function parseCardAction(context: Context, value: Fields): ParsedWebhook {
  const { verb, data } = fieldsOf(value['action']) as Record<string, unknown>;
  const event = parseAction(
    context,
    fieldsOf(data),
    typeof verb === 'string' && verb !== '' ? verb : undefined,
  );
  return {
    events: [event],
    references: referenceFrom(context),
    reply: json(200, {
      statusCode: 200,
      type: 'application/vnd.microsoft.activity.message',
      value: context.texts.actionTaken,
    }),
  };
}

const questionLengthMax = 8_000;

/**
 * What was written into the form of {@link questionCard}. Where it was opened from the box in which messages are written,
 * the bot may not be in that chat: it answers in the person's own.
 */
function parseQuestion(context: Context, data: Fields, elsewhere?: TeamsPlace): ParsedWebhook {
  const { activity, tenant, conversationId, texts } = context;
  const { question } = data as { question?: unknown };
  const { id } = activity;
  const reply = json(200, { task: { type: 'message', value: texts.question.asked } });
  if (typeof question !== 'string' || question.trim() === '' || id === undefined)
    return { events: [unsupported('task/submit without a question')], reply: json(200) };
  return {
    events: [
      {
        kind: 'message',
        key: messageKey(tenant, { conversationId, id }),
        conversationExternalId: writePlace(elsewhere ?? placeOfContext(context)),
        participant: participantOf(context),
        text: question.trim().slice(0, questionLengthMax).toWellFormed(),
        content: { teams: { ...detailsOf(context), form: 'question' } },
      },
    ],
    ...(!elsewhere && { references: referenceFrom(context) }),
    reply,
  };
}

/** Somebody takes a file that we have offered, or does not. */
function parseConsent(context: Context, value: Fields): InboundEvent {
  const { activity, tenant, conversationId, user, texts } = context;
  const { action, context: offered, uploadInfo } = value as Record<string, unknown>;
  if (action !== 'accept') return unsupported('fileConsent/declined');
  const { uploadUrl, ...upload } = fieldsOf(uploadInfo) as Record<string, unknown>;
  const { link } = fieldsOf(offered) as { link?: unknown };
  const handOver = parseHandOver({ link, upload: { ...upload, url: uploadUrl } });
  const { id } = activity;
  if (!handOver || id === undefined) return unsupported('fileConsent without its file');
  return {
    kind: 'request',
    key: `taken/${tenant}/${writeMessageId({ conversationId, id })}`,
    conversationExternalId: writePlace(placeOfContext(context)),
    participantExternalId: user,
    text: texts.file.taken,
    content: writeHandOver(handOver),
  };
}

function unsupported(name: string): InboundEvent {
  return { kind: 'unsupported', reason: `invoke/${name.slice(0, 60)}` };
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function json(status: number, body: object = {}): WebhookReply {
  return { status, contentType: 'application/json; charset=utf-8', body: JSON.stringify(body) };
}
