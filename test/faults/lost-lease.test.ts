import { expect, onTestFinished, test } from 'vitest';
import type { AgentEvent, AgentTurn } from '#agents/agent.ts';
import type { HotPathFunction, Scopes } from '#tenancy/scopes.ts';
import { postingGateway } from '../fakes/posting-gateway.ts';
import { startPostingPlatform } from '../fakes/posting-platform.ts';
import { done, scriptedAgent } from '../fakes/scripted-agent.ts';
import { aService } from '../support/a-service.ts';
import { eventually } from '../support/eventually.ts';
import { wakeByHand } from '../support/wake-by-hand.ts';

type Late = (turn: AgentTurn) => AsyncIterable<AgentEvent>;

test.each<[string, Late]>([
  [
    'its answer',
    async function* () {
      yield done('Late');
    },
  ],
  [
    'a step',
    async function* (turn) {
      await turn.keepStep({ number: 1, kind: 'model', output: 'late' });
      yield done('Late');
    },
  ],
  [
    'a post on the platform',
    async function* () {
      yield { kind: 'text', delta: 'Late' };
      yield done('Late');
    },
  ],
  [
    'a failure',
    // biome-ignore lint/correctness/useYield: it fails before it says anything
    async function* () {
      throw new Error('late');
    },
  ],
])('a worker that has lost its lease without knowing it cannot write %s', async (_what, late) => {
  const { service, visitor, wake, gate, platform, agent } = await aWorkerThatOverlooks(late);

  const sent = await visitor.send('Hello');
  await eventually(() => expect(agent.turns).toHaveLength(1));
  const [turn] = agent.turns;
  if (!turn) throw new Error('There is a turn.');
  // Another worker, once the lease has run out: the queue itself waits for the first one.
  await eventually(async () => {
    await wake('turn', turn);
    expect(agent.turns).toHaveLength(2);
  });
  await visitor.answerTo(sent);
  const answered = await eventually(async () => {
    const rows = await service.rows();
    expect(rows.deliveries.map(({ state }) => state)).toEqual(['sent']);
    return rows;
  });

  const calls = platform.calls.length;
  gate.resolve();
  await eventually(() =>
    expect(service.logLines.map(({ msg }) => msg)).toContain('the lease was lost; nothing was written'),
  );

  expect(await service.rows()).toEqual(answered);
  expect(answered.messages.map(({ text }) => text)).toEqual(['Hello', 'In time']);
  expect(platform.calls).toHaveLength(calls);
});

/** The first turn waits at the gate, and its worker is told that it still holds the lease. The second is answered. */
async function aWorkerThatOverlooks(late: Late) {
  const gate = Promise.withResolvers<void>();
  const { wrapQueue, wake } = wakeByHand();
  const platform = await startPostingPlatform();
  onTestFinished(platform.close);
  const agent = scriptedAgent(async function* (turn) {
    if (agent.turns.length > 1) {
      yield done('In time');
      return;
    }
    await gate.promise;
    yield* late(turn);
  });
  const service = await aService({
    overrides: {
      leaseMs: 1_000,
      wrapAgents: () => agent.agent,
      wrapGateway: () => postingGateway(platform.url),
      wrapScopes: (scopes): Scopes => ({
        ...scopes,
        call: <Row extends object>(name: HotPathFunction, parameters: readonly unknown[]) =>
          name === 'swarmgate.extend_lease_v1'
            ? Promise.resolve([{ extend_lease_v1: 'held' } as unknown as Row])
            : scopes.call<Row>(name, parameters),
      }),
      wrapQueue,
    },
  });
  // A worker that waits at the gate must not keep the service from ending.
  onTestFinished(() => gate.resolve());
  return { service, visitor: await service.aVisitor(), wake, gate, platform, agent };
}
