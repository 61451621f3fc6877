import { randomUUID } from 'node:crypto';
import { openEvents, type Session } from './visitor.ts';

export type WebChatResult = { answersPerSecond: number; ackMs: number[]; answerMs: number[] };

/** Lets visitors write one message after the other over HTTP, each waiting for its answer, for so long. */
export async function runWebChat(
  base: string,
  { key, visitors, durationMs }: { key: string; visitors: number; durationMs: number },
): Promise<WebChatResult> {
  const sessions = await Promise.all(Array.from({ length: visitors }, () => beginSession(base, key)));
  const streams = await Promise.all(sessions.map((session) => openEvents(base, session)));
  const ackMs: number[] = [];
  const answerMs: number[] = [];
  const beganAt = performance.now();
  await Promise.all(
    sessions.map(async (session, index) => {
      const stream = streams[index];
      while (stream && performance.now() - beganAt < durationMs) {
        const sentAt = performance.now();
        const id = await send(base, session, `message of visitor ${index}`);
        ackMs.push(performance.now() - sentAt);
        await stream.answerTo(id);
        answerMs.push(performance.now() - sentAt);
      }
    }),
  );
  const elapsedMs = performance.now() - beganAt;
  for (const stream of streams) stream.close();
  return { answersPerSecond: answerMs.length / (elapsedMs / 1_000), ackMs, answerMs };
}

async function beginSession(base: string, key: string): Promise<Session> {
  const response = await fetch(`${base}/chat/v1/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: base },
    body: JSON.stringify({ key }),
  });
  if (response.status !== 201)
    throw new Error(`A session was refused: ${response.status} ${await response.text()}`);
  return (await response.json()) as Session;
}

async function send(base: string, { token }: Session, text: string): Promise<string> {
  const response = await fetch(`${base}/chat/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ id: randomUUID(), text }),
  });
  if (response.status !== 202)
    throw new Error(`A message was refused: ${response.status} ${await response.text()}`);
  return ((await response.json()) as { id: string }).id;
}
