import { newId, type Uuid } from '#domain/ids.ts';
import type { Platform } from '#gateways/gateway.ts';
import type { ModelUsage } from '#models/model.ts';
import type { Scopes } from '#tenancy/scopes.ts';
import { storableJson, storableText } from './storable.ts';

/**
 * The journal of turns, as the database keeps it. Every write names the fence (the lease number under which the caller
 * works) and does nothing once the lease is lost.
 */
export type TurnJournal = ReturnType<typeof createTurnJournal>;

/** A turn that the caller holds, with everything needed to answer it. */
export type OpenTurn = {
  tenantId: Uuid;
  conversationId: Uuid;
  conversationExternalId: string;
  turnId: Uuid;
  /** The tenant's share of the workers' time. */
  weight: number;
  fence: number;
  attempt: number;
  /** Somebody asked it to stop before it began. */
  cancelled: boolean;
  /** Since it was first begun, by the database's clock, when this attempt began. */
  elapsedMs: number;
  message: { id: Uuid; text: string; content: Record<string, unknown> };
  /** Who asks. */
  participant: { externalId: string };
  channel: { id: Uuid; platform: Platform };
  agent: StoredAgent | null;
  history: { role: 'visitor' | 'agent' | 'operator' | 'system'; text: string }[];
  steps: { number: number; kind: 'model' | 'retrieval'; output: unknown }[];
};

export type StoredAgent = {
  id: Uuid;
  slug: string;
  name: string;
  model: string;
  instructions: string;
  settings: Record<string, unknown>;
  sealed: Record<string, string>;
};

/** What a turn ends with: its one answer, and what it cost or why it failed. */
export type TurnOutcome = {
  state: 'done' | 'dead';
  role: 'agent' | 'system';
  text: string;
  content: Record<string, unknown>;
  model?: string;
  usage?: ModelUsage;
  error?: { code: string; message: string };
};

/** The delivery of a streamed post. `begun`: an earlier attempt has made it. */
export type StreamedDelivery = { deliveryId: Uuid; begun: boolean; externalIds: string[] };

export type LeaseState = 'held' | 'cancelled' | 'lost';

/** How many messages before the one to answer are loaded; the agent's token budget cuts further. */
const historyMessagesMax = 60;

export function createTurnJournal(scopes: Scopes, { holder, leaseMs }: { holder: string; leaseMs: number }) {
  const open = (
    tenantId: Uuid,
    found: Omit<OpenTurn, 'tenantId'> | null | undefined,
  ): OpenTurn | undefined => (found ? { ...found, tenantId } : undefined);

  return {
    /** Takes the lease of a conversation that is due and begins its oldest unanswered turn, if there is one. */
    async begin(tenantId: Uuid, conversationId: Uuid): Promise<OpenTurn | undefined> {
      const [row] = await scopes.call<{ begin_turn_v1: Omit<OpenTurn, 'tenantId'> | null }>(
        'swarmgate.begin_turn_v1',
        [tenantId, conversationId, holder, leaseMs, historyMessagesMax],
      );
      return open(tenantId, row?.begin_turn_v1);
    },

    async extendLease({ tenantId, conversationId, fence, turnId }: OpenTurn): Promise<LeaseState> {
      const [row] = await scopes.call<{ extend_lease_v1: LeaseState }>('swarmgate.extend_lease_v1', [
        tenantId,
        conversationId,
        fence,
        turnId,
        leaseMs,
      ]);
      return row?.extend_lease_v1 ?? 'lost';
    },

    /** False: the lease is lost. */
    async keepStep(
      { tenantId, conversationId, fence, turnId }: OpenTurn,
      step: { number: number; kind: string; output: unknown },
    ): Promise<boolean> {
      const parameters = [
        tenantId,
        conversationId,
        fence,
        turnId,
        step.number,
        step.kind,
        'done',
        storableJson(step.output),
      ];
      const [row] = await scopes.call<{ commit_step_v1: boolean }>('swarmgate.commit_step_v1', parameters);
      return row?.commit_step_v1 ?? false;
    },

    /** Makes the draft and the delivery of a streamed post, or finds those of an earlier attempt. `undefined`: the lease is lost. */
    async openStream({
      tenantId,
      conversationId,
      fence,
      turnId,
    }: OpenTurn): Promise<StreamedDelivery | undefined> {
      const parameters = [tenantId, conversationId, fence, turnId, newId(), newId()];
      const [row] = await scopes.call<{ open_stream_v2: StreamedDelivery | null }>(
        'swarmgate.open_stream_v2',
        parameters,
      );
      return row?.open_stream_v2 ?? undefined;
    },

    async keepStreamPart(
      { tenantId, conversationId, fence }: OpenTurn,
      deliveryId: Uuid,
      number: number,
      externalId: string,
    ): Promise<boolean> {
      const parameters = [tenantId, conversationId, fence, deliveryId, number, externalId];
      const [row] = await scopes.call<{ keep_stream_part_v2: boolean }>(
        'swarmgate.keep_stream_part_v2',
        parameters,
      );
      return row?.keep_stream_part_v2 ?? false;
    },

    /**
     * Ends a turn and, with `takeNext`, begins the conversation's next one. `slots`: conversations that get the slot which
     * this one leaves. `undefined`: the lease is lost, nothing was written.
     */
    async commit(
      turn: OpenTurn,
      outcome: TurnOutcome,
      takeNext: boolean,
    ): Promise<{ next: OpenTurn | undefined; slots: Uuid[] } | undefined> {
      const { tenantId, conversationId, fence, turnId } = turn;
      type Committed = { next: Omit<OpenTurn, 'tenantId'> | null; slots: Uuid[] };
      const [row] = await scopes.call<{ commit_turn_v1: Committed | null }>('swarmgate.commit_turn_v1', [
        tenantId,
        conversationId,
        fence,
        turnId,
        outcome.state,
        newId(),
        newId(),
        outcome.role,
        storableText(outcome.text),
        storableJson(outcome.content),
        outcome.model ?? null,
        JSON.stringify(outcome.usage ?? {}),
        outcome.error?.code ?? null,
        outcome.error?.message ?? null,
        newId(),
        takeNext,
        leaseMs,
        historyMessagesMax,
      ]);
      const committed = row?.commit_turn_v1;
      return committed ? { next: open(tenantId, committed.next), slots: committed.slots } : undefined;
    },

    /**
     * Puts a turn back, to run again after `delayMs`. `counts` is false when the attempt was no fault of its own. Answers
     * like {@link commit}.
     */
    async putBack(
      turn: OpenTurn,
      delayMs: number,
      counts: boolean,
      error?: { code: string; message: string },
    ): Promise<{ slots: Uuid[] } | undefined> {
      const { tenantId, conversationId, fence, turnId } = turn;
      const parameters = [
        tenantId,
        conversationId,
        fence,
        turnId,
        Math.round(delayMs),
        counts,
        error?.code ?? null,
        error?.message ?? null,
      ];
      const [row] = await scopes.call<{ retry_turn_v2: { slots: Uuid[] } | null }>(
        'swarmgate.retry_turn_v2',
        parameters,
      );
      return row?.retry_turn_v2 ?? undefined;
    },
  };
}
