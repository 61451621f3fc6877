import { expect, test } from 'vitest';
import { createTurnJournal } from '#conversations/turn-journal.ts';
import type { Uuid } from '#domain/ids.ts';
import { StorageUnavailableError } from '#tenancy/scope-errors.ts';
import type { HotPathFunction, Scopes } from '#tenancy/scopes.ts';
import { aService } from '../support/a-service.ts';
import { eventually } from '../support/eventually.ts';

/** A question that no worker takes up, and the journal of a worker that does. */
async function aQuestion(wrap: (scopes: Scopes) => Scopes = (scopes) => scopes) {
  const service = await aService({ overrides: { wrapQueue: (queue) => ({ ...queue, work: () => {} }) } });
  const visitor = await service.aVisitor();
  await visitor.send('Hello');
  const [message] = (await service.rows()).messages;
  const [tenant] = await service.app.storage.scopes.inPlatform((unit) =>
    unit.sql<{ id: Uuid }>(`SELECT id FROM directory.tenants WHERE slug = 'shop'`),
  );
  const journal = createTurnJournal(wrap(service.app.storage.scopes), {
    ...{ holder: 'a worker', leaseMs: 60_000, claimMs: 60_000 },
  });
  const begin = async () => {
    const turn = await journal.begin(tenant?.id as Uuid, message?.conversation_id as Uuid);
    if (!turn) throw new Error('There is no turn to begin.');
    return turn;
  };
  return { service, journal, begin };
}

const outcome = { state: 'done', role: 'agent', text: 'Hi', content: {} } as const;

test('a step that was kept is there when the turn runs again, also after an attempt that does not count', async () => {
  const { journal, begin } = await aQuestion();
  const first = await begin();
  await journal.keepStep(first, { number: 1, kind: 'model', output: { text: 'thought' } });
  await journal.putBack(first, 0, false);
  const second = await begin();
  expect(second).toMatchObject({ attempt: 1, steps: [{ number: 1, output: { text: 'thought' } }] });
});

test('an attempt that has lost its turn learns whether its post was taken over', async () => {
  const { journal, begin } = await aQuestion();
  const frozen = await begin();
  const first = await journal.openStream(frozen);
  await journal.putBack(frozen, 0, false);
  const next = await begin();
  const second = await journal.openStream(next);
  const deliveryId = second?.deliveryId as Uuid;
  expect(first?.deliveryId).toBe(deliveryId);
  await journal.keepStreamPart(next, deliveryId, 1, 'post-1');
  expect(await journal.keepStreamPart(frozen, deliveryId, 1, 'post-1')).toBe(false);
  expect(await journal.hasPart(frozen, deliveryId, 'post-1')).toBe(true);
  expect(await journal.hasPart(frozen, deliveryId, 'post-2')).toBe(false);
});

test('an answer is claimed for its sender in the commit, with all that the sender needs', async () => {
  const { service, journal, begin } = await aQuestion();
  const turn = await begin();
  const committed = await journal.commit(turn, outcome, { takeNext: true, claim: true });
  expect(committed).toMatchObject({
    ...{ next: undefined, slots: [] },
    delivery: { claim: 1, attempt: 1, interrupted: false, message: { text: 'Hi' }, turnId: turn.turnId },
  });
  const askedAtMs = committed?.delivery?.lastInboundAtMs ?? 0;
  expect(Math.abs(Date.now() - askedAtMs)).toBeLessThan(60_000);
  expect((await service.rows()).deliveries).toMatchObject([{ state: 'sending', attempt: 1 }]);
});

test('a claim is given back when nobody knows whether its commit went through', async () => {
  const cutOff = (scopes: Scopes): Scopes => ({
    ...scopes,
    async call<Row extends object>(name: HotPathFunction, parameters: readonly unknown[]) {
      const rows = await scopes.call<Row>(name, parameters);
      if (name === 'swarmgate.commit_turns_v1') throw new StorageUnavailableError(new Error('cut off'));
      return rows;
    },
  });
  const { service, journal, begin } = await aQuestion(cutOff);
  const committing = journal.commit(await begin(), outcome, { takeNext: true, claim: true });
  await expect(committing).rejects.toMatchObject({ code: 'storage_unavailable' });
  await eventually(async () =>
    expect((await service.rows()).deliveries).toMatchObject([{ state: 'pending', attempt: 0 }]),
  );
});
