import type { Operation } from './faults.ts';
import type { Journal } from './journal.ts';
import { listMessages } from './list-messages.ts';
import { describeMessage, type MediaFile, type Message, type MessageStore, rfc2822 } from './messages.ts';
import type { SendMessage } from './outgoing.ts';
import { isRefusal, type Refusal, refuse } from './refusal.ts';
import { type ValidationParts, validateMessage } from './validate-message.ts';

export type ApiAnswer =
  | Refusal
  | { kind: 'json'; status: number; body: unknown; afterwards?: () => void }
  | { kind: 'redirect'; location: string };

/** What a path and a method mean; `undefined`: nothing. */
export type Route = {
  operation: Operation;
  accountSid: string;
  handle: (params: URLSearchParams) => ApiAnswer | Promise<ApiAnswer>;
};

export type ApiParts = ValidationParts & {
  store: MessageStore;
  journal: Journal;
  sendMessage: SendMessage;
  /** Where a media file can be had without credentials, for a while. */
  mediaLocation: (file: MediaFile) => string;
};

const accountPath = /^\/2010-04-01\/Accounts\/([^/]+?)(?:\.json|(\/.*))$/;

/** Finds what a request is for. https://www.twilio.com/docs/messaging/api/message-resource */
export function routeApi(parts: ApiParts, method: string, path: string): Route | Refusal {
  const [, accountSid, rest = ''] = accountPath.exec(path) ?? [];
  if (accountSid === undefined) return refuse(20404, path);
  const find = (operation: Operation, handle: Route['handle']): Route => ({ operation, accountSid, handle });
  const reading = method === 'GET' || method === 'HEAD';

  if (rest === '' && reading) return find('account', () => describeAccount(accountSid));
  if (rest === '/Messages.json' && method === 'POST')
    return find('create', (form) => create(parts, accountSid, form));
  if (rest === '/Messages.json' && reading)
    return find('list', (query) => ok(listMessages(parts.store.ofAccount(accountSid), accountSid, query)));

  const [, sid = '', below = ''] = /^\/Messages\/([^/]+?)(\.json|\/.+)$/.exec(rest) ?? [];
  const message = parts.store.find(accountSid, sid);
  if (!message) return find('fetch', () => refuse(20404, path));
  if (!reading) return find('fetch', () => refuse(20004));
  if (below === '.json') return find('fetch', () => ok(describeMessage(message)));
  if (below === '/Media.json') return find('media', () => ok(describeMediaList(message)));
  const [, mediaSid, json] = /^\/Media\/([^/.]+)(\.json)?$/.exec(below) ?? [];
  const file = message.media.find((one) => one.sid === mediaSid);
  if (!file) return find('media', () => refuse(20404, path));
  return find('media', () =>
    json ? ok(describeMedia(message, file)) : { kind: 'redirect', location: parts.mediaLocation(file) },
  );
}

async function create(parts: ApiParts, accountSid: string, form: URLSearchParams): Promise<ApiAnswer> {
  noteForeignSender(parts, accountSid, form);
  const valid = validateMessage(parts, accountSid, form);
  if (isRefusal(valid)) return valid;
  const made = parts.sendMessage(valid, accountSid, 'outbound-api');
  if (isRefusal(made)) return made;
  if (made.tellFirst) await made.told;
  return { kind: 'json', status: 201, body: describeMessage(made.message), afterwards: made.answered };
}

function noteForeignSender({ world, journal }: ApiParts, accountSid: string, form: URLSearchParams): void {
  const number = world.number(form.get('From') ?? '');
  const service = world.service(form.get('MessagingServiceSid') ?? '');
  for (const owner of [number, service]) {
    if (owner && owner.accountSid !== accountSid)
      journal.violate('foreign_sender', `${accountSid} sends as ${owner.accountSid}`);
  }
}

function ok(body: Record<string, unknown> | Refusal): ApiAnswer {
  return isRefusal(body) ? body : { kind: 'json', status: 200, body };
}

function describeAccount(accountSid: string): ApiAnswer {
  const uri = `/2010-04-01/Accounts/${accountSid}`;
  return ok({
    sid: accountSid,
    friendly_name: 'Simulated account',
    owner_account_sid: accountSid,
    status: 'active',
    type: 'Full',
    subresource_uris: { messages: `${uri}/Messages.json` },
    uri: `${uri}.json`,
  });
}

function describeMediaList(message: Message): Record<string, unknown> {
  const uri = `/2010-04-01/Accounts/${message.accountSid}/Messages/${message.sid}/Media.json`;
  return {
    media_list: message.media.map((file) => describeMedia(message, file)),
    page: 0,
    page_size: 50,
    start: 0,
    end: Math.max(message.media.length - 1, 0),
    uri,
    first_page_uri: uri,
    next_page_uri: null,
    previous_page_uri: null,
  };
}

function describeMedia({ accountSid, sid, createdAt }: Message, file: MediaFile): Record<string, unknown> {
  return {
    account_sid: accountSid,
    content_type: file.contentType,
    date_created: rfc2822(createdAt),
    date_updated: rfc2822(createdAt),
    parent_sid: sid,
    sid: file.sid,
    uri: `/2010-04-01/Accounts/${accountSid}/Messages/${sid}/Media/${file.sid}.json`,
  };
}
