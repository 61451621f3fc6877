import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { planTenant, shopOrigin } from '../support/a-tenant.ts';
import { aVisitor, type Visitor } from '../support/a-visitor.ts';
import type { RunTenant } from './run-tenant.ts';
import type { Stage } from './stage.ts';

/** So long a page waits for an answer to what it has sent, and then until it sends it again. */
const answerWithinMs = 3_000;
const againAfterMs = 500;
/** A page tries for ever; this one for longer than any outage. */
const triesMax = 150;

/** A tenant with a web chat. Pages send a message again, under the same id, until it is taken. */
export async function makeWebTenant(stage: Stage, slug: string): Promise<RunTenant> {
  await stage.installation.apply(planTenant({ slug }));
  const visitors = new Map<string, Visitor>();

  return {
    ...{ kind: 'web', slug, meteredTokens: undefined, isLasting: false },

    async open() {
      const visitor = await aVisitor({ url: stage.apiUrl }, { key: `wk_${slug}`, origin: shopOrigin });
      const channel = visitor.session.conversationId;
      visitors.set(channel, visitor);
      return {
        channel,
        async say(text, { repeat = 1 }) {
          const id = randomUUID();
          const told = await Promise.all(
            Array.from({ length: repeat }, () => sendUntilTaken(visitor, id, text)),
          );
          return told.includes(true);
        },
      };
    },

    async posts() {
      const pages = [...visitors].map(async ([channel, visitor]) =>
        (await visitor.history())
          .filter(({ role }) => role !== 'visitor')
          .map(({ sequence, text }) => ({ channel, ts: String(sequence), text, streaming: false })),
      );
      return (await Promise.all(pages)).flat();
    },
  };
}

async function sendUntilTaken(visitor: Visitor, id: string, text: string): Promise<boolean> {
  for (let tries = 0; tries < triesMax; tries++) {
    const response = await visitor
      .call('/chat/v1/messages', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ id, text }),
        signal: AbortSignal.timeout(answerWithinMs),
      })
      .catch(() => undefined);
    await response?.body?.cancel();
    if (response?.ok) return true;
    await sleep(againAfterMs);
  }
  return false;
}
