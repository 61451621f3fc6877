export type Session = { token: string };

/** Reads a visitor's event stream and tells when a message has its answer. */
export async function openEvents(base: string, { token }: Session) {
  const controller = new AbortController();
  const response = await fetch(`${base}/chat/v1/events`, {
    headers: { authorization: `Bearer ${token}`, 'last-event-id': '0' },
    signal: controller.signal,
  });
  if (!response.body) throw new Error('The event stream has no body.');
  const answered = new Set<string>();
  const waiting = new Map<string, () => void>();
  read(response.body, (event) => {
    const { role, inReplyTo } = JSON.parse(event) as { role?: string; inReplyTo?: string };
    if (role !== 'agent' || inReplyTo === undefined) return;
    const wake = waiting.get(inReplyTo);
    if (wake) wake();
    else answered.add(inReplyTo);
    waiting.delete(inReplyTo);
  }).catch(() => {});
  return {
    answerTo: (id: string) =>
      answered.delete(id) ? Promise.resolve() : new Promise<void>((resolve) => waiting.set(id, resolve)),
    close: () => controller.abort(),
  };
}

async function read(body: ReadableStream<Uint8Array>, onData: (data: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  let buffer = '';
  for await (const chunk of body) {
    buffer += decoder.decode(chunk, { stream: true });
    const events = buffer.split('\n\n');
    buffer = events.pop() ?? '';
    for (const event of events) {
      const data = /^data: (.*)$/m.exec(event)?.[1];
      if (data) onData(data);
    }
  }
}
