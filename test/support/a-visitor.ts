import { randomUUID } from 'node:crypto';
import type {
  ChatMessage,
  MessageAccepted,
  MessagePage,
  SessionResponse,
} from '@swarmgate/contract/web-chat.ts';
import { type EventReader, openEvents } from './event-reader.ts';
import { eventually } from './eventually.ts';

/** Where a visitor finds the service. After a restart it may be another address. */
export type ServiceAddress = { readonly url: string };

export type VisitorOptions = { key: string; origin: string; visitorToken?: string; identity?: string };

export type Visitor = Awaited<ReturnType<typeof aVisitor>>;

/** A visitor's page without its looks: it speaks the web chat wire over HTTP and knows nothing else of the service. */
export async function aVisitor(service: ServiceAddress, { key, origin, ...returning }: VisitorOptions) {
  const begun = await fetch(`${service.url}/chat/v1/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin },
    body: JSON.stringify({ key, ...returning }),
  });
  const session = await read<SessionResponse>(begun, 201);
  const readers: EventReader[] = [];

  const call = (
    path: string,
    { headers, ...init }: RequestInit & { headers?: Record<string, string> } = {},
  ) =>
    fetch(`${service.url}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${session.token}`, origin, ...headers },
    });

  const visitor = {
    session,
    /** Any call with this visitor's token. */
    call,
    /** Posts a message and answers the response, whatever it is. */
    post: (text: string, id: string = randomUUID()) =>
      call('/chat/v1/messages', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ id, text }),
      }),
    /** Posts a message that has to be taken. */
    send: async (text: string, id?: string): Promise<MessageAccepted> =>
      read<MessageAccepted>(await visitor.post(text, id), 202),
    /** Posts the same message until it is taken, as a page does while the service is away. */
    sendUntilTaken: (text: string, id: string = randomUUID()): Promise<MessageAccepted> =>
      eventually(() => visitor.send(text, id)),
    history: async (): Promise<ChatMessage[]> => {
      const page = await read<MessagePage>(await call('/chat/v1/messages?after=0&limit=200'), 200);
      if (page.hasMore) throw new Error('More than one page: not what this is for.');
      return page.messages;
    },
    /** Waits for the answer to a message. */
    answerTo: (sent: { id: string }): Promise<ChatMessage> =>
      eventually(async () => {
        const answer = (await visitor.history()).find((message) => message.inReplyTo === sent.id);
        if (!answer) throw new Error(`No answer to ${sent.id} yet.`);
        return answer;
      }),
    cancel: (turnId: string) => call(`/chat/v1/turns/${turnId}/cancel`, { method: 'POST' }),
    /** Opens an event stream, as one tab of the visitor's browser. */
    async listen(lastEventId?: string): Promise<EventReader> {
      const reader = await openEvents(service.url, {
        authorization: `Bearer ${session.token}`,
        origin,
        ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
      });
      readers.push(reader);
      return reader;
    },
    leave: () => {
      for (const reader of readers) reader.close();
    },
  };
  return visitor;
}

/** Reads a JSON answer that must have the status. */
async function read<Body>(response: Response, status: number): Promise<Body> {
  const text = await response.text();
  if (response.status !== status) throw new Error(`Expected ${status}, got ${response.status}: ${text}`);
  return JSON.parse(text) as Body;
}
