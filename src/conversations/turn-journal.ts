import { setTimeout as pause } from 'node:timers/promises';
import { newId, type Uuid } from '#domain/ids.ts';
import type { Platform } from '#gateways/gateway.ts';
import type { ModelUsage } from '#models/model.ts';
import type { Scopes } from '#tenancy/scopes.ts';
import { busy, columnsOf, createCallTogether, inOrder } from './call-together.ts';
import type { OpenDelivery } from './delivery-journal.ts';
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

/** What stands once a turn has ended. */
export type Committed = {
  /** The conversation's next turn, when it was asked for and there is one. */
  next: OpenTurn | undefined;
  /** Conversations that get the slot which this turn leaves. */
  slots: Uuid[];
  /** The answer's delivery, when the caller has claimed it: it is to be sent now. */
  delivery: OpenDelivery | undefined;
};

type Commit = {
  turn: OpenTurn;
  outcome: TurnOutcome;
  takeNext: boolean;
  claim: boolean;
  messageId: Uuid;
  deliveryId: Uuid;
  eventId: Uuid;
};

type FoundTurn = Omit<OpenTurn, 'tenantId'> | null;
type FoundCommit = {
  next: FoundTurn;
  slots: Uuid[];
  delivery: { deliveryId: Uuid; createdAtMs: number; lastInboundAtMs: number | null } | null;
} | null;

/** What has to be said to a database that is away is said again and again, and not for ever. */
const insistEveryMs = 1_000;
const insistAttemptsMax = 30;
/** A call that was broken off may still be on its way to the platform. */
const editAgainAfterMs = 1_000;

/** How many messages before the one to answer are loaded; the agent's token budget cuts further. */
const historyMessagesMax = 60;

export function createTurnJournal(
  scopes: Scopes,
  { holder, leaseMs, claimMs }: { holder: string; leaseMs: number; claimMs: number },
) {
  const begin = createCallTogether<{ tenantId: Uuid; conversationId: Uuid }, FoundTurn>({
    async together(items) {
      const parameters = columnsOf(
        items,
        ({ tenantId }) => tenantId,
        ({ conversationId }) => conversationId,
      );
      const rows = await scopes.call<{ ordinal: number; busy: boolean; result: FoundTurn }>(
        'swarmgate.begin_turns_v1',
        [...parameters, holder, leaseMs, historyMessagesMax],
      );
      return inOrder(rows, items.length, (row) => (row.busy ? busy : row.result));
    },
    async alone({ tenantId, conversationId }) {
      const [row] = await scopes.call<{ begin_turn_v1: FoundTurn }>('swarmgate.begin_turn_v1', [
        tenantId,
        conversationId,
        holder,
        leaseMs,
        historyMessagesMax,
      ]);
      return row?.begin_turn_v1 ?? null;
    },
  });

  const commit = createCallTogether<Commit, FoundCommit>({
    async together(items) {
      const rows = await scopes.call<{ ordinal: number; busy: boolean; result: FoundCommit }>(
        'swarmgate.commit_turns_v1',
        [
          ...columnsOf(items, ...commitColumns, ({ claim }) => claim),
          leaseMs,
          historyMessagesMax,
          holder,
          claimMs,
        ],
      );
      return inOrder(rows, items.length, (row) => (row.busy ? busy : row.result));
    },
    async alone(item) {
      const parameters = commitColumns.map((read) => read(item));
      const [row] = await scopes.call<{ commit_turn_v1: FoundCommit }>('swarmgate.commit_turn_v1', [
        ...parameters,
        leaseMs,
        historyMessagesMax,
      ]);
      return row?.commit_turn_v1 ?? null;
    },
  });

  const insist = async (say: () => Promise<unknown>) => {
    for (let attempt = 1; attempt <= insistAttemptsMax; attempt++) {
      try {
        await say();
        return;
      } catch {
        await pause(insistEveryMs, undefined, { ref: false });
      }
    }
  };

  // Whether it was committed nobody knows; if it was, its delivery is claimed by us and nobody sends it. The claim runs out
  // in the end.
  const giveBack = async (tenantId: Uuid, deliveryId: Uuid) => {
    await pause(insistEveryMs, undefined, { ref: false });
    await insist(() => scopes.call('swarmgate.give_back_delivery_v1', [tenantId, deliveryId, holder]));
  };

  return {
    /** Takes the lease of a conversation that is due and begins its oldest unanswered turn, if there is one. */
    async begin(tenantId: Uuid, conversationId: Uuid): Promise<OpenTurn | undefined> {
      return open(tenantId, await begin({ tenantId, conversationId }));
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

    /** Whether an earlier answer of the conversation is still on its way out. */
    hasUnsent: ({ tenantId, conversationId }: OpenTurn): Promise<boolean> =>
      scopes.inTenant(tenantId, async (unit) => {
        const [row] = await unit.sql<{ has_unsent: boolean }>(
          `SELECT EXISTS (SELECT FROM swarmgate.deliveries
             WHERE conversation_id = $1 AND state IN ('pending', 'sending')) AS has_unsent`,
          [conversationId],
        );
        return row?.has_unsent ?? false;
      }),

    /** Whether a post is kept as a part of the delivery, by whoever. */
    hasPart: ({ tenantId }: OpenTurn, deliveryId: Uuid, externalId: string): Promise<boolean> =>
      scopes.inTenant(tenantId, async (unit) => {
        const [row] = await unit.sql<{ has_part: boolean }>(
          `SELECT EXISTS (SELECT FROM swarmgate.delivery_parts
             WHERE delivery_id = $1 AND external_id = $2) AS has_part`,
          [deliveryId, externalId],
        );
        return row?.has_part ?? false;
      }),

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

    /** A streamed delivery that was made in this attempt has posted nothing. False: the lease is lost. */
    async clearStreamDoubt(
      { tenantId, conversationId, fence }: OpenTurn,
      deliveryId: Uuid,
    ): Promise<boolean> {
      const parameters = [tenantId, conversationId, fence, deliveryId];
      const [row] = await scopes.call<{ clear_stream_doubt_v1: boolean }>(
        'swarmgate.clear_stream_doubt_v1',
        parameters,
      );
      return row?.clear_stream_doubt_v1 ?? false;
    },

    /**
     * Has the final text of a streamed delivery edited once more, where it is out or being sent: the caller has shown
     * less of it and has lost the lease, so that nobody knows which of the two stands there. A text that goes out later
     * goes over it anyway. Names no fence: an edit too many changes nothing, and is claimed like any other.
     */
    editAgain: ({ tenantId }: OpenTurn, deliveryId: Uuid): Promise<void> =>
      insist(() =>
        scopes.inTenant(tenantId, (unit) =>
          unit.sql(
            `UPDATE swarmgate.deliveries d SET
                 overwritten_claim = CASE WHEN d.state = 'sending' THEN d.claim_number END,
                 state = CASE WHEN d.state = 'sending' THEN d.state ELSE 'pending' END,
                 due_at = CASE WHEN d.state = 'sending' THEN d.due_at ELSE clock_timestamp() + make_interval(secs => $2 / 1000.0) END,
                 queued_at = clock_timestamp()
               WHERE d.id = $1 AND d.state IN ('sending', 'sent', 'delivered', 'read')
                 AND EXISTS (SELECT FROM swarmgate.messages m WHERE m.id = d.message_id AND m.state = 'final')`,
            [deliveryId, editAgainAfterMs],
          ),
        ),
      ),

    /**
     * Ends a turn and, with `takeNext`, begins the conversation's next one. With `claim` the answer's delivery is the
     * caller's from the first, unless an earlier one of the conversation or a streamed post goes before it. `undefined`:
     * the lease is lost, nothing was written.
     */
    async commit(
      turn: OpenTurn,
      outcome: TurnOutcome,
      { takeNext, claim }: { takeNext: boolean; claim: boolean },
    ): Promise<Committed | undefined> {
      const ids = { messageId: newId(), deliveryId: newId(), eventId: newId() };
      const committed = await commit({ turn, outcome, takeNext, claim, ...ids }).catch((error: unknown) => {
        if (claim) void giveBack(turn.tenantId, ids.deliveryId);
        throw error;
      });
      if (!committed) return undefined;
      const { next, slots, delivery } = committed;
      return {
        next: open(turn.tenantId, next),
        slots,
        delivery: delivery ? firstDelivery(turn, outcome, ids.messageId, delivery) : undefined,
      };
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

function open(tenantId: Uuid, found: FoundTurn | undefined): OpenTurn | undefined {
  return found ? { ...found, tenantId } : undefined;
}

/** The parameters of a commit, in the order of both functions. */
const commitColumns: readonly ((item: Commit) => unknown)[] = [
  ({ turn }) => turn.tenantId,
  ({ turn }) => turn.conversationId,
  ({ turn }) => turn.fence,
  ({ turn }) => turn.turnId,
  ({ outcome }) => outcome.state,
  ({ messageId }) => messageId,
  ({ deliveryId }) => deliveryId,
  ({ outcome }) => outcome.role,
  ({ outcome }) => storableText(outcome.text),
  ({ outcome }) => storableJson(outcome.content),
  ({ outcome }) => outcome.model ?? null,
  ({ outcome }) => JSON.stringify(outcome.usage ?? {}),
  ({ outcome }) => outcome.error?.code ?? null,
  ({ outcome }) => outcome.error?.message ?? null,
  ({ eventId }) => eventId,
  ({ takeNext }) => takeNext,
];

// What the database would tell about it is known here already.
function firstDelivery(
  turn: OpenTurn,
  { role, text, content }: TurnOutcome,
  messageId: Uuid,
  { deliveryId, createdAtMs, lastInboundAtMs }: NonNullable<NonNullable<FoundCommit>['delivery']>,
): OpenDelivery {
  return {
    ...{ tenantId: turn.tenantId, deliveryId, claim: 1, attempt: 1, deferrals: 0, interrupted: false },
    ...{ createdAtMs, queuedAtMs: createdAtMs, lastInboundAtMs, externalIds: [] },
    message: { id: messageId, role, text: storableText(text), content },
    turnId: turn.turnId,
    conversation: { id: turn.conversationId, externalId: turn.conversationExternalId },
    participant: turn.participant,
    channel: turn.channel,
  };
}
