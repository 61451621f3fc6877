import { AppError } from '#domain/errors.ts';
import { newId, type Uuid } from '#domain/ids.ts';
import type { LiveUpdates } from '#events/live.ts';
import type { InboundMessage } from '#gateways/gateway.ts';
import type { Received, ReceiveMessage } from '#gateways/journey.ts';
import type { Metrics } from '#kernel/metrics.ts';
import type { WakeQueue } from '#queue/job.ts';
import { StorageUnavailableError } from '#tenancy/scope-errors.ts';
import type { Scopes } from '#tenancy/scopes.ts';
import { createBatcher } from './batcher.ts';
import { storableJson, storableText } from './storable.ts';

export type ReceiveParts = { scopes: Scopes; queue: WakeQueue; live: LiveUpdates; metrics: Metrics };

/** A verified message could not be kept. Nothing of it is stored. */
export class MessageRefusedError extends AppError<'message_refused'> {
  override readonly name = 'MessageRefusedError';

  constructor(sqlState: string, reason: string) {
    super('message_refused', `The message could not be kept (${sqlState}: ${reason}).`);
  }
}

const batchSizeMax = 100;

/**
 * Keeps messages: dedupe key, transcript, turn and due time in one commit, then a wake-up. Messages that arrive while a
 * commit is under way go together into the next one, so a burst costs few commits and a lone message waits for none.
 */
export function createReceiveMessage({ scopes, queue, live, metrics }: ReceiveParts): ReceiveMessage {
  const keep = createBatcher(
    (messages: readonly InboundMessage[]) => keepMessages(scopes, messages),
    batchSizeMax,
  );

  return async (message) => {
    const received = await keep(message);
    metrics.received(message.platform, received.outcome);
    const at = { tenantId: message.tenantId, conversationId: received.conversationId };
    if (received.outcome === 'received') live.publish(at, { kind: 'changed' });
    // Not awaited: the commit is what counts, and a slow queue must not slow the acknowledgement.
    void queue.wake({ kind: 'turn', ...at });
    return received;
  };
}

type Row = {
  ordinal: number;
  outcome: 'received' | 'duplicate' | 'failed';
  conversation_id: Uuid;
  message_id: Uuid;
  sequence: string;
  created_at: Date;
  sqlstate_of_failure: string | null;
  failure: string | null;
};

async function keepMessages(
  scopes: Scopes,
  messages: readonly InboundMessage[],
): Promise<(Received | Error)[]> {
  const rows = await scopes.call<Row>('swarmgate.receive_messages_v1', asColumns(messages));
  const results: (Received | Error)[] = messages.map(() => new MessageRefusedError('?', 'no answer'));
  for (const row of rows) results[row.ordinal - 1] = readRow(row);
  return results;
}

function readRow(row: Row): Received | Error {
  if (row.outcome === 'failed') return explainFailure(row.sqlstate_of_failure ?? '?', row.failure ?? '');
  return {
    outcome: row.outcome,
    conversationId: row.conversation_id,
    messageId: row.message_id,
    sequence: Number(row.sequence),
    createdAt: row.created_at,
  };
}

// Resources (53), deadlocks and serialization (40) and rows that somebody else holds (55) pass: the sender may try again.
// The rest would fail again.
function explainFailure(sqlState: string, reason: string): Error {
  if (/^(?:40|53|55|57)/.test(sqlState))
    return new StorageUnavailableError(new Error(`${sqlState}: ${reason}`));
  return new MessageRefusedError(sqlState, reason);
}

function asColumns(messages: readonly InboundMessage[]): unknown[] {
  const column = <T>(read: (message: InboundMessage) => T) => messages.map(read);
  return [
    column((message) => message.tenantId),
    column((message) => message.channelId),
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
    column((message) => storableJson(message.content)),
    column(() => newId()),
  ];
}
