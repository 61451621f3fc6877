import { describeMessage, type Message } from './messages.ts';
import { type Refusal, refuse } from './refusal.ts';

const pageSizeMax = 1_000;
const dayMs = 86_400_000;

/**
 * A page of an account's messages, given newest first. What has not left the queue has no DateSent and matches no filter
 * by it. https://www.twilio.com/docs/messaging/api/message-resource#read-multiple-message-resources
 */
export function listMessages(
  messages: readonly Message[],
  accountSid: string,
  query: URLSearchParams,
): Record<string, unknown> | Refusal {
  const pageSize = Number(query.get('PageSize') ?? 50);
  if (!Number.isInteger(pageSize) || pageSize < 1 || pageSize > pageSizeMax)
    return refuse(20001, 'PageSize is a number from 1 to 1000');
  const sentBetween = readDates(query);
  if (!sentBetween) return refuse(20001, 'DateSent is not a date');

  const matching = messages.filter(
    (message) =>
      matches(query.get('To'), message.to) &&
      matches(query.get('From'), message.from) &&
      sentBetween(message.sentAt),
  );
  // By what came before rather than by count: a message that is created meanwhile shifts nothing.
  const after = query.get('PageToken')?.replace(/^PA/, '');
  const start = after ? matching.findIndex((message) => message.sid === after) + 1 : 0;
  if (after && start === 0) return refuse(20001, 'PageToken');
  const shown = matching.slice(start, start + pageSize);

  const page = Number(query.get('Page') ?? 0);
  const address = (number: number, token?: string) => {
    const rest = new URLSearchParams(query);
    rest.set('PageSize', String(pageSize));
    rest.set('Page', String(number));
    rest.delete('PageToken');
    if (token) rest.set('PageToken', token);
    return `/2010-04-01/Accounts/${accountSid}/Messages.json?${rest}`;
  };
  const last = shown.at(-1);
  const hasMore = start + pageSize < matching.length;
  return {
    messages: shown.map(describeMessage),
    page,
    page_size: pageSize,
    start,
    end: Math.max(start + shown.length - 1, 0),
    uri: address(page, query.get('PageToken') ?? undefined),
    first_page_uri: address(0),
    next_page_uri: hasMore && last ? address(page + 1, `PA${last.sid}`) : null,
    previous_page_uri: null,
  };
}

function matches(wanted: string | null, value: string | undefined): boolean {
  return wanted === null || wanted === value;
}

/** `DateSent`, and `DateSent>` and `DateSent<`, which mean on or after, on or before. `undefined`: not dates. */
function readDates(query: URLSearchParams): ((sentAt: Date | undefined) => boolean) | undefined {
  const on = readDate(query.get('DateSent'));
  const from = readDate(query.get('DateSent>'));
  const until = readDate(query.get('DateSent<'));
  if (on === 'invalid' || from === 'invalid' || until === 'invalid') return undefined;
  if (!on && !from && !until) return () => true;
  return (sentAt) => {
    if (!sentAt) return false;
    const at = sentAt.getTime();
    if (on && (at < on.startMs || at >= on.endMs)) return false;
    if (from && at < from.startMs) return false;
    return !until || at < until.endMs;
  };
}

/** The span that a day or a second takes. */
function readDate(text: string | null): { startMs: number; endMs: number } | undefined | 'invalid' {
  if (text === null) return undefined;
  const startMs = Date.parse(text);
  if (Number.isNaN(startMs)) return 'invalid';
  return { startMs, endMs: startMs + (/^\d{4}-\d\d-\d\d$/.test(text) ? dayMs : 1_000) };
}
