import { AppError } from '#domain/errors.ts';
import { newId, type Uuid } from '#domain/ids.ts';
import type { LiveUpdates } from '#events/live.ts';
import type { InboundMessage } from '#gateways/gateway.ts';
import type { ChannelPlace, Received, ReceiveMessage } from '#gateways/journey.ts';
import { createBatcher } from '#kernel/batcher.ts';
import type { Metrics } from '#kernel/metrics.ts';
import type { WakeQueue } from '#queue/job.ts';
import { StorageUnavailableError } from '#tenancy/scope-errors.ts';
import type { Scopes } from '#tenancy/scopes.ts';
import { storableJson, storableText } from './storable.ts';

export type ReceiveParts = {
  scopes: Scopes;
  queue: Pick<WakeQueue, 'wake'>;
  live: Pick<LiveUpdates, 'publish'>;
  metrics: Pick<Metrics, 'received'>;
};

/** A verified message could not be kept. Nothing of it is stored. */
export class MessageRefusedError extends AppError<'message_refused'> {
  override readonly name = 'MessageRefusedError';

  constructor(sqlState: string, reason: string) {
    super('message_refused', `The message could not be kept (${sqlState}: ${reason}).`);
  }
}

const batchSizeMax = 100;

type Item = { at: ChannelPlace; message: InboundMessage };
type Kept = Received & { weight: number; becameDue: boolean };
type Outcome = Kept | 'ignored' | Error;

/**
 * Keeps messages: dedupe key, transcript, turn and due time in one commit, then a wake-up. Messages that arrive while a
 * commit is under way go together into the next one, so a burst costs few commits and a lone message waits for none.
 */
export function createReceiveMessage({ scopes, queue, live, metrics }: ReceiveParts): ReceiveMessage {
  const keep = createBatcher((items: readonly Item[]) => keepMessages(scopes, items), batchSizeMax);

  return async (at, message) => {
    const received = await keep({ at, message });
    metrics.received(at.platform, received === 'ignored' ? received : received.outcome);
    if (received === 'ignored') return undefined;
    const { weight, becameDue, ...told } = received;
    const place = { tenantId: at.tenantId, conversationId: told.conversationId };
    if (told.outcome === 'received') live.publish(place, { kind: 'changed' });
    // Not awaited: the commit is what counts, and a slow queue must not slow the acknowledgement. A conversation that was
    // due already has been woken, and whoever is at work in it looks for the next message when it ends.
    if (becameDue) void queue.wake({ kind: 'turn', ...place, weight });
    if (message.systemReply && told.outcome === 'received')
      void queue.wake({ kind: 'delivery', ...place, weight });
    return told;
  };
}

type Row = {
  ordinal: number;
  outcome: 'received' | 'duplicate' | 'ignored' | 'failed';
  conversation_id: Uuid;
  message_id: Uuid;
  sequence: string;
  created_at: Date;
  weight: number;
  became_due: boolean;
  sqlstate_of_failure: string | null;
  failure: string | null;
};

async function keepMessages(scopes: Scopes, items: readonly Item[]): Promise<Outcome[]> {
  const rows = await scopes.call<Row>('swarmgate.receive_messages_v4', asColumns(items));
  const results: Outcome[] = items.map(() => new MessageRefusedError('?', 'no answer'));
  for (const row of rows) results[row.ordinal - 1] = readRow(row);
  return results;
}

function readRow(row: Row): Outcome {
  if (row.outcome === 'ignored') return row.outcome;
  if (row.outcome === 'failed') return explainFailure(row.sqlstate_of_failure ?? '?', row.failure ?? '');
  return {
    outcome: row.outcome,
    conversationId: row.conversation_id,
    messageId: row.message_id,
    sequence: Number(row.sequence),
    createdAt: row.created_at,
    weight: row.weight,
    becameDue: row.became_due,
  };
}

// Resources (53), deadlocks and serialization (40) and rows that somebody else holds (55) pass: the sender may try again.
// The rest would fail again.
function explainFailure(sqlState: string, reason: string): Error {
  if (/^(?:40|53|55|57)/.test(sqlState))
    return new StorageUnavailableError(new Error(`${sqlState}: ${reason}`));
  return new MessageRefusedError(sqlState, reason);
}

function asColumns(items: readonly Item[]): unknown[] {
  const files = items.map(({ message }) => message.attachments?.map((file) => ({ id: newId(), ...file })));
  const column = <T>(read: (message: InboundMessage, index: number) => T) =>
    items.map(({ message }, index) => read(message, index));
  return [
    items.map(({ at }) => at.tenantId),
    items.map(({ at }) => at.channelId),
    column((message) => message.conversationId ?? newId()),
    column((message) => storableText(message.conversationExternalId)),
    column(() => newId()),
    column((message) => storableText(message.participant.externalId)),
    column((message) => message.participant.verified),
    column((message) => storableJson(message.participant.profile)),
    column(() => newId()),
    column((message) => storableText(message.key)),
    column((message) => (message.clientId === undefined ? null : storableText(message.clientId))),
    column((message) => storableText(message.text)),
    column((message, index) => storableJson(contentOf(message, files[index]))),
    column(() => newId()),
    column((message, index) => extraOf(message, files[index])),
  ];
}

type File = NonNullable<InboundMessage['attachments']>[number] & { id: Uuid };

// Readers of a transcript learn what came along; how it is fetched is between its row and its gateway.
function contentOf({ content }: InboundMessage, files: readonly File[] = []): object {
  if (files.length === 0) return content;
  const attachments = files.map(({ id, name, contentType, sizeBytes }) => ({
    fileId: id,
    name,
    contentType,
    ...(sizeBytes !== undefined && { sizeBytes }),
  }));
  return { ...content, attachments };
}

/** What few messages have; `null` for the others, which then cost the database nothing more. */
function extraOf(message: InboundMessage, files: readonly File[] = []): string | null {
  const { kind, needsAnswer = true, onlyIfKnown = false, consent, systemReply } = message;
  const usual = kind === 'message' && needsAnswer && !onlyIfKnown && !consent && !systemReply;
  if (usual && files.length === 0) return null;
  return storableJson({
    kind,
    needsAnswer,
    onlyIfKnown,
    files,
    ...(consent && { consent: { id: newId(), ...consent } }),
    ...(systemReply && { systemReply: { messageId: newId(), deliveryId: newId(), ...systemReply } }),
  });
}
