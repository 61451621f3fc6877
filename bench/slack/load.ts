import { setTimeout as pause } from 'node:timers/promises';
import { Pool } from 'undici';
import { mentionBody, signedHeaders } from './events.ts';
import { startSlackStandIn } from './stand-in.ts';

export type LoadPlan = {
  /** How many messages. */
  messages: number;
  /** In which workspace the n-th of them is said. */
  workspaceOf: (n: number) => number;
  /** Called once all are acknowledged; answers may still come. */
  onAllAcknowledged?: () => void;
} & (
  | /** So many calls at once, each following its predecessor's answer: as much as can be taken. */ {
      atOnce: number;
    }
  /** So many calls a second, whatever becomes of them. */
  | { perSecond: number }
);

export type LoadResult = {
  acksPerSecond: number;
  repliesPerSecond: number;
  /** Each from when the event was sent. */
  ackMs: number[];
  replyMs: number[];
};

export type SlackLoad = Awaited<ReturnType<typeof startSlackLoad>>;

type Awaiting = { sentAt: number; onReply: (replyMs: number) => void };

/** How long the last answer may take after the last question. */
const patienceMs = 300_000;

/** Slack as far as a benchmark needs it: sends signed events, takes the posts, and keeps the time of both. */
export async function startSlackLoad() {
  let next = 0;
  const awaited = new Map<number, Awaiting>();
  const repeated: number[] = [];
  const standIn = await startSlackStandIn((number) => {
    const question = awaited.get(number);
    if (!question) {
      repeated.push(number);
      return;
    }
    awaited.delete(number);
    question.onReply(performance.now() - question.sentAt);
  });

  return {
    apiUrl: standIn.apiUrl,

    /** Sends the messages and waits for every answer. @throws when one is refused, missing or comes twice. */
    async run(eventsUrl: string, plan: LoadPlan): Promise<LoadResult> {
      const { origin, pathname } = new URL(eventsUrl);
      const pool = new Pool(origin, { connections: 'atOnce' in plan ? plan.atOnce : 64 });
      const ackMs: number[] = [];
      const replyMs: number[] = [];
      let lastReplyAt = 0;
      const onReply = (ms: number) => {
        replyMs.push(ms);
        lastReplyAt = performance.now();
      };
      const send = async (n: number) => {
        const number = next++;
        const body = mentionBody(number, plan.workspaceOf(n));
        const headers = signedHeaders(body);
        const sentAt = performance.now();
        awaited.set(number, { sentAt, onReply });
        const answer = await pool.request({ method: 'POST', path: pathname, headers, body });
        await answer.body.dump();
        if (answer.statusCode !== 200) throw new Error(`An event was answered with ${answer.statusCode}.`);
        ackMs.push(performance.now() - sentAt);
      };

      const beganAt = performance.now();
      if ('atOnce' in plan) await closedLoop(plan.messages, plan.atOnce, send);
      else await openLoop(plan.messages, plan.perSecond, send);
      const lastAckAt = performance.now();
      plan.onAllAcknowledged?.();
      await pool.close();

      const giveUpAt = lastAckAt + patienceMs;
      while (replyMs.length < plan.messages && performance.now() < giveUpAt) await pause(5);
      if (replyMs.length < plan.messages || repeated.length > 0)
        throw new Error(
          `${plan.messages - replyMs.length} messages have no answer and ${repeated.length} have two.`,
        );
      return {
        acksPerSecond: plan.messages / ((lastAckAt - beganAt) / 1_000),
        repliesPerSecond: plan.messages / ((lastReplyAt - beganAt) / 1_000),
        ackMs,
        replyMs,
      };
    },

    close: () => standIn.close(),
  };
}

async function closedLoop(
  messages: number,
  atOnce: number,
  send: (n: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (next < messages) await send(next++);
    }),
  );
}

async function openLoop(
  messages: number,
  perSecond: number,
  send: (n: number) => Promise<void>,
): Promise<void> {
  const beganAt = performance.now();
  const sent: Promise<void>[] = [];
  while (sent.length < messages) {
    const due = Math.min(messages, Math.floor(((performance.now() - beganAt) / 1_000) * perSecond));
    while (sent.length < due) sent.push(send(sent.length));
    await pause(1);
  }
  await Promise.all(sent);
}
