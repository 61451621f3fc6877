import type { Consent } from './consent.ts';
import { isRefusal, type Refusal, refuse } from './refusal.ts';
import { isWhatsApp, type MessagingService, type SenderNumber, type World } from './world.ts';

const bodyLengthMax = 1_600;
const mediaMax = 10;
const windowMs = 24 * 3_600_000;

/** A message that may be made. */
export type ValidMessage = {
  to: string;
  from: SenderNumber;
  /** No number was named: the service chose it, which shows only when the message leaves. */
  isFromChosen: boolean;
  service: MessagingService | undefined;
  body: string;
  mediaUrls: readonly string[];
  content: { sid: string; variables: string | undefined } | undefined;
  statusCallback: string | undefined;
  /** It will be taken and fail. */
  failsWith: number | undefined;
};

export type ValidationParts = {
  world: World;
  consent: Consent;
  /** The number of a service that a person has written with before. */
  stickySender: (service: MessagingService, person: string) => string | undefined;
  lastInboundAt: (sender: string, person: string) => Date | undefined;
  now: () => Date;
  /** What becomes of a free-form WhatsApp message outside the 24-hour window. */
  outsideWindow: 'refused' | 'failed';
};

/** Checks what is posted to create a message, as Twilio does before it answers 201. */
export function validateMessage(
  parts: ValidationParts,
  accountSid: string,
  form: URLSearchParams,
): ValidMessage | Refusal {
  const to = form.get('To');
  if (!to) return refuse(21604);
  if (!/^(?:whatsapp:)?\+[1-9]\d{4,14}$/.test(to)) return refuse(21211, to);

  const sender = chooseSender(parts, accountSid, form, to);
  if (isRefusal(sender)) return sender;
  const { from, isFromChosen, service } = sender;
  if (from.number === to) return refuse(21266);
  if (isWhatsApp(from.number) !== isWhatsApp(to)) return refuse(21910);

  const content = readContent(parts.world, accountSid, form, isWhatsApp(to));
  if (isRefusal(content)) return content;
  const mediaUrls = form.getAll('MediaUrl');
  const body = content.template ? '' : (form.get('Body') ?? '');
  if (!content.template && !body && mediaUrls.length === 0) return refuse(21602);
  if (body.length > bodyLengthMax) return refuse(21617);
  if (mediaUrls.length > mediaMax) return refuse(21623);
  if (!mediaUrls.every(isHttpUrl)) return refuse(21620);

  const statusCallback = form.get('StatusCallback') ?? service?.statusCallback;
  if (statusCallback !== undefined && !isHttpUrl(statusCallback)) return refuse(21609);
  if (parts.consent.isBlocked(from, parts.world.serviceOf(from), to)) return refuse(21610);

  const outside = !content.template && isOutsideWindow(parts, from, to);
  if (outside && parts.outsideWindow === 'refused') return refuse(63016);
  return {
    to,
    from,
    isFromChosen,
    service,
    body: content.template ? content.template.text : body,
    mediaUrls,
    content: content.template && { sid: content.template.sid, variables: content.template.variables },
    statusCallback,
    failsWith: outside ? 63016 : undefined,
  };
}

function chooseSender(
  { world, stickySender }: ValidationParts,
  accountSid: string,
  form: URLSearchParams,
  to: string,
): Pick<ValidMessage, 'from' | 'isFromChosen' | 'service'> | Refusal {
  const named = form.get('From');
  const serviceSid = form.get('MessagingServiceSid') ?? (named?.startsWith('MG') ? named : null);
  if (!named && !serviceSid) return refuse(21603);

  const service = serviceSid ? world.service(serviceSid) : undefined;
  if (serviceSid && service?.accountSid !== accountSid) return refuse(21701, serviceSid);
  if (named && named !== serviceSid) {
    const from = ownNumber(world, accountSid, named);
    if (isRefusal(from)) return from;
    if (service && !service.numbers.includes(from.number)) return refuse(21606, named);
    return { from, isFromChosen: false, service };
  }

  const pool = (service?.numbers ?? []).filter((number) => isWhatsApp(number) === isWhatsApp(to));
  const before = service && stickySender(service, to);
  const from = world.number(before && pool.includes(before) ? before : (pool[0] ?? ''));
  return from ? { from, isFromChosen: true, service } : refuse(21703);
}

function ownNumber(world: World, accountSid: string, named: string): SenderNumber | Refusal {
  const from = world.number(named);
  if (from?.accountSid === accountSid) return from;
  // Twilio does not say whether a WhatsApp sender is another's or nobody's.
  if (isWhatsApp(named)) return refuse(63007);
  if (from) return refuse(21660, named);
  return refuse(/^\+?[1-9]\d{2,14}$/.test(named) ? 21659 : 21212, named);
}

type Template = { sid: string; text: string; variables: string | undefined };

function readContent(
  world: World,
  accountSid: string,
  form: URLSearchParams,
  whatsApp: boolean,
): { template: Template | undefined } | Refusal {
  const sid = form.get('ContentSid');
  if (!sid) return { template: undefined };
  const template = world.template(sid);
  const isKnown = world.hasTemplates(accountSid) ? template?.accountSid === accountSid : /^HX\w+$/.test(sid);
  if (!isKnown) return refuse(21655, sid);
  const given = form.get('ContentVariables') ?? undefined;
  const variables = readVariables(given, whatsApp);
  if (!variables) return refuse(21656);
  const text = (template?.body ?? '').replace(/\{\{(\w+)\}\}/g, (blank, name) => variables[name] ?? blank);
  return { template: { sid, text, variables: given } };
}

/** `undefined`: not a JSON object of texts, one is empty, or one has what a WhatsApp template does not take. */
function readVariables(given: string | undefined, whatsApp: boolean): Record<string, string> | undefined {
  if (given === undefined) return {};
  try {
    const variables: unknown = JSON.parse(given);
    if (typeof variables !== 'object' || variables === null || Array.isArray(variables)) return undefined;
    const fit = Object.values(variables).every(
      (value) => typeof value === 'string' && value !== '' && !(whatsApp && /[\r\n\t]| {5}/.test(value)),
    );
    return fit ? (variables as Record<string, string>) : undefined;
  } catch {
    return undefined;
  }
}

function isOutsideWindow({ lastInboundAt, now }: ValidationParts, from: SenderNumber, to: string): boolean {
  if (from.kind !== 'whatsapp') return false;
  const last = lastInboundAt(from.number, to);
  return !last || now().getTime() - last.getTime() >= windowMs;
}

function isHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return (protocol === 'https:' || protocol === 'http:') && hostname !== '';
}
