import type { ChatEvent, ChatMessage } from '@swarmgate/contract/web-chat.ts';
import { eventually } from './eventually.ts';

export type ReceivedEvent = ChatEvent & { id?: string };

/** An open stream of `GET /chat/v1/events`, read as a browser's fetch reads it. */
export type EventReader = Awaited<ReturnType<typeof openEvents>>;

/** Opens the stream and keeps what comes. Resolves when the service has begun to answer. */
export async function openEvents(url: string, headers: Record<string, string>) {
  const leave = new AbortController();
  const response = await fetch(`${url}/chat/v1/events`, { headers, signal: leave.signal });
  if (!response.ok || !response.body)
    throw new Error(`The event stream was refused: ${response.status} ${await response.text()}`);
  const events: ReceivedEvent[] = [];
  const comments: string[] = [];
  const seen = { events, comments, ended: false };
  void readBlocks(response.body, (block) => {
    const fields = block.split('\n').map(readField);
    const textOf = (name: string) => fields.find((field) => field.name === name)?.value;
    for (const { name, value } of fields) if (name === '') comments.push(value);
    const [event, data, id] = [textOf('event'), textOf('data'), textOf('id')];
    if (event === undefined || data === undefined) return;
    events.push({ event, data: JSON.parse(data), ...(id !== undefined && { id }) } as ReceivedEvent);
  })
    .catch(() => {}) // cut off, by us or by a killed service: either way it has ended
    .finally(() => {
      seen.ended = true;
    });

  return {
    events,
    comments,
    get ended() {
      return seen.ended;
    },
    /** The facts that came, in order, changed ones too: the same one twice stands here twice. */
    messages: (): ChatMessage[] =>
      events.flatMap((received) =>
        received.event === 'message' || received.event === 'message.updated' ? [received.data] : [],
      ),
    /** The answer in the making as a page puts it together: each piece at its offset, a new attempt from the start. */
    draft(): string {
      let attempt = 0;
      let text = '';
      for (const received of events) {
        if (received.event !== 'delta') continue;
        if (received.data.attempt !== attempt) text = '';
        attempt = received.data.attempt;
        text = text.slice(0, received.data.offset) + received.data.text;
      }
      return text;
    },
    /** The id that a page sends as `Last-Event-ID` when it connects again. */
    lastEventId: (): string | undefined => events.findLast(({ id }) => id !== undefined)?.id,
    /** Waits for an event. */
    until: (isIt: (received: ReceivedEvent) => boolean): Promise<ReceivedEvent> =>
      eventually(() => {
        const found = events.find(isIt);
        if (!found) throw new Error(`No such event yet; there were: ${JSON.stringify(events)}`);
        return found;
      }),
    close: () => leave.abort(),
  };
}

async function readBlocks(body: ReadableStream<Uint8Array>, onBlock: (block: string) => void): Promise<void> {
  let rest = '';
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    const blocks = (rest + chunk).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) onBlock(block);
  }
}

function readField(line: string): { name: string; value: string } {
  const colon = line.indexOf(':');
  return { name: line.slice(0, colon), value: line.slice(colon + 1).trimStart() };
}
