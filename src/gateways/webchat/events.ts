import type { ChatEvent } from '@swarmgate/contract/web-chat.ts';
import type { Request, Response } from 'express';
import { toWire } from '#domain/ids.ts';
import type { LiveUpdate } from '#events/live.ts';
import { networkOf } from '#kernel/network-of.ts';
import { ProblemError, tooManyRequests } from '#kernel/problem.ts';
import { authenticate } from './authenticate.ts';
import { openEventStream } from './event-stream.ts';
import type { WebChatParts } from './parts.ts';
import type { Visitor } from './tokens.ts';
import { toChatMessage } from './wire.ts';

const changesPerRead = 100;
const streamsPerVisitorMax = 10;
/** A page comes back a second after its stream has ended, and a visitor has several pages. */
const openingsPerMinuteMax = 120;
/** A whole company may sit behind one address; a single one must not use up the process's sockets. */
const streamsPerNetworkMax = 500;

/**
 * `GET /chat/v1/events`: what happens in the visitor's conversation, as Server-Sent Events (WHATWG HTML §9.2). Facts are
 * read from the transcript by revision, which is also their event id: whatever was missed, here or in another process,
 * before or after a restart, is what lies above `Last-Event-ID`. Without one the stream begins now.
 */
export function streamEvents(parts: WebChatParts) {
  const openStreams = new Map<string, number>();

  return async (request: Request, response: Response): Promise<void> => {
    const { visitor } = await authenticate(parts, request);
    await limitOpening(parts, visitor);
    let seen = readLastEventId(request);
    seen ??= (await parts.transcripts.changes(visitor, undefined, 0)).head;
    // Whoever has left meanwhile would never be seen to leave.
    if (response.destroyed) return;
    countStream(
      openStreams,
      `visitor ${visitor.channelId}/${visitor.externalId}`,
      streamsPerVisitorMax,
      response,
    );
    countStream(openStreams, `network ${networkOf(request.ip ?? '')}`, streamsPerNetworkMax, response);

    const stream = openEventStream(response, parts.stop);
    const sendChanges = inTurn(async () => {
      for (let more = true; more && !stream.closed; ) {
        const { changes } = await parts.transcripts.changes(visitor, seen, changesPerRead);
        for (const message of changes) {
          const isNew = message.sequence > (seen ?? 0);
          stream.send(
            { event: isNew ? 'message' : 'message.updated', data: toChatMessage(message) },
            message.revision,
          );
          seen = message.revision;
          await stream.taken();
        }
        more = changes.length === changesPerRead;
      }
    }, stream.fail);

    const unsubscribe = await parts.live.subscribe(visitor, (update) => {
      if (update.kind === 'changed') sendChanges();
      else for (const event of describe(update)) stream.send(event);
    });
    stream.onClose(unsubscribe);
    sendChanges();
    parts.live.publish(visitor, { kind: 'resend' });
  };
}

function describe(update: LiveUpdate): ChatEvent[] {
  switch (update.kind) {
    case 'turn': {
      const turnId = toWire('turn', update.turnId);
      const turn: ChatEvent = { event: 'turn', data: { turnId, state: update.state } };
      return update.state === 'started' ? [turn, { event: 'typing', data: { turnId } }] : [turn];
    }
    case 'delta': {
      const { attempt, offset, text } = update;
      return [{ event: 'delta', data: { turnId: toWire('turn', update.turnId), attempt, offset, text } }];
    }
    default:
      return [];
  }
}

function readLastEventId(request: Request): number | undefined {
  const value = request.get('last-event-id');
  if (value === undefined || value === '') return undefined;
  if (!/^\d{1,15}$/.test(value)) {
    throw new ProblemError(
      400,
      'invalid_last_event_id',
      'Invalid Last-Event-ID',
      'Last-Event-ID must be the id of an event of this stream.',
    );
  }
  return Number(value);
}

// Each stream that opens asks for the answer in the making once more, from its beginning.
async function limitOpening({ rateLimit }: WebChatParts, visitor: Visitor): Promise<void> {
  const rate = await rateLimit(
    `stream/${visitor.tenantId}/${visitor.channelId}/${visitor.externalId}`,
    openingsPerMinuteMax,
  );
  if (!rate.allowed) throw tooManyRequests(rate.retryAfterMs, 'Too many new event streams.');
}

function countStream(openStreams: Map<string, number>, key: string, max: number, response: Response): void {
  const open = openStreams.get(key) ?? 0;
  if (open >= max) {
    throw new ProblemError(
      429,
      'too_many_streams',
      'Too many streams',
      `There are ${max} event streams open already.`,
      { 'Retry-After': '5' },
    );
  }
  openStreams.set(key, open + 1);
  response.once('close', () => {
    const left = (openStreams.get(key) ?? 1) - 1;
    if (left > 0) openStreams.set(key, left);
    else openStreams.delete(key);
  });
}

/** Runs `work` now, or once more after the run that is under way: calls in between are one. */
function inTurn(work: () => Promise<void>, onError: (error: unknown) => void): () => void {
  let running = false;
  let again = false;
  const run = async () => {
    running = true;
    try {
      do {
        again = false;
        await work();
      } while (again);
    } finally {
      running = false;
    }
  };
  return () => {
    if (running) again = true;
    else run().catch(onError);
  };
}
