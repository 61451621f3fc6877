import type { Agent, AgentDefinition, AgentEvent, AgentTurn } from '#agents/agent.ts';
import { AppError } from '#domain/errors.ts';
import type { Uuid } from '#domain/ids.ts';
import type { LiveUpdates } from '#events/live.ts';
import type { Gateway, OpenChannel, Platform } from '#gateways/gateway.ts';
import { withContext } from '#kernel/context.ts';
import type { Logger } from '#kernel/logger.ts';
import type { Metrics } from '#kernel/metrics.ts';
import type { Served, WakeQueue, WakeUpData } from '#queue/job.ts';
import type { DeliveryDesk } from './delivery-desk.ts';
import { type HeldLease, holdLease, LeaseLostError, TurnCancelledError } from './hold-lease.ts';
import { describeTarget, openReplyStream } from './reply-stream.ts';
import { refusePoisoned, type Settlement, settleFailure, type TurnTexts } from './settle-turn.ts';
import type { Committed, OpenTurn, StoredAgent, TurnJournal, TurnOutcome } from './turn-journal.ts';

export type RunTurnParts = {
  journal: TurnJournal;
  leaseMs: number;
  agents: Agent;
  /** Opens an agent's sealed key. */
  openAgent: (tenantId: Uuid, agent: StoredAgent) => AgentDefinition;
  openChannel: (tenantId: Uuid, channelId: Uuid) => Promise<OpenChannel | undefined>;
  gatewayOf: (platform: Platform) => Gateway | undefined;
  texts: TurnTexts;
  /** Sends answers as they are made. */
  desk: DeliveryDesk;
  queue: WakeQueue;
  live: LiveUpdates;
  logger: Logger;
  metrics: Metrics;
  /** Aborts when no more work is to be begun. */
  draining: AbortSignal;
  /** Aborts with a StoppingError when what is at work may not go on: turns are put back. */
  stop: AbortSignal;
};

/** The tenant has no agent for this conversation. */
class NoAgentError extends AppError<'no_agent'> {
  override readonly name = 'NoAgentError';

  constructor() {
    super(
      'no_agent',
      'The tenant has no agent for this channel: give the channel one, or add an agent with the slug "default".',
    );
  }
}

/** Turns that one wake-up may answer before other conversations get their chance. */
const turnsPerWakeUp = 10;

/** Answers what waits in a conversation, in order, one turn a message. */
export function createRunTurn(parts: RunTurnParts): (data: WakeUpData) => Promise<Served | undefined> {
  return (data) =>
    withContext(data, async () => {
      const at = { tenantId: data.tenantId as Uuid, conversationId: data.conversationId as Uuid };
      if (parts.draining.aborted) return undefined;
      let turn = await parts.journal.begin(at.tenantId, at.conversationId);
      const weight = turn?.weight ?? 1;
      let count = 0;
      while (turn) {
        count += 1;
        const takeNext = count < turnsPerWakeUp && !parts.draining.aborted;
        turn = await runOne(parts, turn, takeNext);
      }
      if (count === turnsPerWakeUp) await parts.queue.wake({ kind: 'turn', ...at, weight });
      return { weight, count };
    });
}

/** Runs one turn, keeps what came of it, and answers the conversation's next turn if it was begun with it. */
async function runOne(parts: RunTurnParts, turn: OpenTurn, takeNext: boolean): Promise<OpenTurn | undefined> {
  const gateway = parts.gatewayOf(turn.channel.platform);
  if (!gateway) return leaveToOthers(parts, turn);
  const startedAt = performance.now();
  const stream = openReplyStream({ ...parts, gateway }, turn);
  const lease = holdLease(() => parts.journal.extendLease(turn), parts.leaseMs, parts.stop);
  const listening = listenSoon(parts, turn, { stream, lease });
  let kept: Kept | undefined;
  try {
    parts.live.publish(turn, { kind: 'turn', turnId: turn.turnId, state: 'started' });
    void showWorking(parts, gateway, turn);
    const settlement = await answer(parts, turn, lease, stream).catch((error: unknown) =>
      settleFailure(error, lease.signal, turn, stream.text, parts.texts),
    );
    kept = await keep(parts, turn, settlement, takeNext);
    return kept?.next;
  } finally {
    listening.end();
    lease.release();
    if (!kept) await stream.giveUp();
    parts.metrics.turnTook(turn.channel.platform, (performance.now() - startedAt) / 1_000);
  }
}

/** Most answers that nobody streams are there sooner, and spare themselves the way to the live updates. */
const listenAfterMs = 100;

/** Hears what readers ask of a turn that takes a while. What was said before that is in the transcript and in the lease. */
function listenSoon(
  { live }: RunTurnParts,
  turn: OpenTurn,
  { stream, lease }: { stream: Stream; lease: HeldLease },
): { end(): void } {
  let subscribed: Promise<() => void> | undefined;
  const timer = setTimeout(() => {
    subscribed = live.subscribe(turn, (update) => {
      if (update.kind === 'resend') stream.resend();
      if (update.kind === 'cancel' && update.turnId === turn.turnId) lease.cancel();
    });
    // Somebody may have come while nobody heard it.
    subscribed.then(
      () => stream.resend(),
      () => {},
    );
  }, listenAfterMs);
  return {
    end() {
      clearTimeout(timer);
      subscribed?.then((unsubscribe) => unsubscribe()).catch(() => {});
    },
  };
}

// Nobody waits for it, and nothing depends on it.
async function showWorking({ openChannel }: RunTurnParts, gateway: Gateway, turn: OpenTurn): Promise<void> {
  if (!gateway.showWorking) return;
  try {
    const channel = await openChannel(turn.tenantId, turn.channel.id);
    if (channel?.status === 'active') await gateway.showWorking(channel, describeTarget(turn, []));
  } catch {
    // The platform does not show it, then.
  }
}

/** How long a process that cannot serve a conversation leaves it to those that can. */
const leaveToOthersMs = 5_000;

async function leaveToOthers({ journal, logger }: RunTurnParts, turn: OpenTurn): Promise<undefined> {
  logger.warn({ turnId: turn.turnId }, 'this process has no gateway for the platform');
  await journal.putBack(turn, leaveToOthersMs, false);
}

type Stream = ReturnType<typeof openReplyStream>;

async function answer(
  parts: RunTurnParts,
  turn: OpenTurn,
  lease: HeldLease,
  stream: Stream,
): Promise<Settlement> {
  if (turn.cancelled) throw new TurnCancelledError();
  refusePoisoned(turn);
  let final: (AgentEvent & { kind: 'done' }) | undefined;
  try {
    for await (const event of parts.agents.reply(describeTurn(parts, turn), lease.signal)) {
      lease.signal.throwIfAborted();
      if (event.kind === 'text') stream.append(event.delta);
      else final = event;
    }
  } finally {
    await stream.close();
  }
  lease.signal.throwIfAborted();
  if (!final) throw new TypeError('The agent ended without its last event.');
  return {
    kind: 'commit',
    outcome: {
      state: 'done',
      role: 'agent',
      text: final.text,
      content: final.sources.length > 0 ? { sources: final.sources } : {},
      model: final.model,
      usage: final.usage,
    },
  };
}

function describeTurn({ journal, openAgent }: RunTurnParts, turn: OpenTurn): AgentTurn {
  if (!turn.agent) throw new NoAgentError();
  return {
    tenantId: turn.tenantId,
    conversationId: turn.conversationId,
    turnId: turn.turnId,
    agent: openAgent(turn.tenantId, turn.agent),
    message: turn.message,
    history: turn.history,
    steps: turn.steps,
    keepStep: async (step) => {
      if (!(await journal.keepStep(turn, step))) throw new LeaseLostError();
    },
  };
}

type Kept = { next: OpenTurn | undefined };

/** `undefined`: the lease was lost, nothing was written. */
async function keep(
  parts: RunTurnParts,
  turn: OpenTurn,
  settlement: Settlement,
  takeNext: boolean,
): Promise<Kept | undefined> {
  const { journal, desk, logger } = parts;
  switch (settlement.kind) {
    case 'commit': {
      const askedAt = performance.now();
      const claim = desk.hasRoom(turn.channel.id);
      const committed = await journal.commit(turn, settlement.outcome, { takeNext, claim });
      if (!committed) break;
      deliver(parts, turn, committed, askedAt);
      announce(parts, turn, settlement.outcome);
      handOn(parts, turn, committed.slots);
      return committed;
    }
    case 'retry': {
      const { delayMs, cause, error } = settlement;
      logger.warn(
        { err: cause, turnId: turn.turnId, attempt: turn.attempt, delayMs },
        'a turn failed and will run again',
      );
      const put = await journal.putBack(turn, delayMs, true, error);
      if (!put) break;
      handOn(parts, turn, put.slots);
      return { next: undefined };
    }
    case 'release':
      if (await journal.putBack(turn, 0, false)) return { next: undefined };
      break;
    case 'lost':
      break;
  }
  logger.warn({ turnId: turn.turnId, fence: turn.fence }, 'the lease was lost; nothing was written');
  return undefined;
}

/** Wakes the conversations that get the slot which a turn has left. Should it be lost, the sweeper finds them. */
function handOn(
  { queue }: RunTurnParts,
  { tenantId, weight }: OpenTurn,
  conversationIds: readonly Uuid[],
): void {
  for (const conversationId of conversationIds)
    void queue.wake({ kind: 'turn', tenantId, conversationId, weight });
}

/** Sends the answer from here; what is not ours to send yet waits in the queue. */
function deliver(
  { desk, queue }: RunTurnParts,
  { tenantId, conversationId, weight, channel }: OpenTurn,
  { delivery }: Committed,
  askedAt: number,
): void {
  if (delivery) desk.take(delivery, askedAt);
  else if (!desk.takeIfFull({ tenantId, conversationId }, channel.id))
    // Not awaited: the delivery is committed, and the sweeper finds it if the wake-up is lost.
    void queue.wake({ kind: 'delivery', tenantId, conversationId, weight });
}

function announce({ live, logger, metrics }: RunTurnParts, turn: OpenTurn, outcome: TurnOutcome): void {
  if (outcome.state === 'done') {
    live.publish(turn, { kind: 'turn', turnId: turn.turnId, state: 'finished' });
    metrics.answered(turn.channel.platform);
    logger.info({ turnId: turn.turnId, attempt: turn.attempt, model: outcome.model }, 'answered');
    return;
  }
  live.publish(turn, { kind: 'turn', turnId: turn.turnId, state: 'failed' });
  metrics.failed(turn.channel.platform, outcome.error?.code ?? 'internal');
  logger.error(
    { turnId: turn.turnId, attempt: turn.attempt, code: outcome.error?.code, reason: outcome.error?.message },
    'a turn ended without an answer',
  );
}
