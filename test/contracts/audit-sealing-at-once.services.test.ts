import { setImmediate as yieldOnce } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { anAuditTrail, anEvent } from '../support/an-audit-trail.ts';

// The embedded database has one session, so nobody is ever at work beside the sealer there.

test('what a transaction that is open for long commits late does not slip behind a seal', async () => {
  const { audit, scopes, note, look, seal, checkpoint, verify, shop, ids } = await anAuditTrail();
  await note(shop);
  await seal();
  const late = await audit.prepare(shop, { ...anEvent, action: 'late' });
  const [written, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const open = scopes.inTenant(shop, async (unit) => {
    await audit.append(unit, shop, late);
    written.resolve();
    await release.promise;
  });
  await written.promise;
  for (let number = 0; number < 3; number++) await note(shop);
  // They are there to be seen, and not sealed: the open one is older.
  expect(await ids(shop)).toHaveLength(4);
  expect(await look()).toMatchObject({ is_sealer: true, sealed_events: 0 });
  expect((await look()).lag_seconds).toBeGreaterThan(0);

  release.resolve();
  await open;
  await seal();
  await checkpoint();
  expect(await verify(shop)).toMatchObject({ state: 'whole', events: 5, unsealed: 0 });
});

test('while many write and two seal, each event that was committed is in one seal', async () => {
  const { audit, scopes, note, look, seal, checkpoint, verify, shop, bank, ids } = await anAuditTrail();
  let isWriting = true;
  let committed = 0;
  const writers = Array.from({ length: 6 }, async (_, writer) => {
    for (let number = 0; number < 30; number++) {
      if (number % 3 === 0) {
        await note(bank);
        continue;
      }
      const prepared = await audit.prepare(shop, anEvent);
      const isUndone = (writer + number) % 5 === 0;
      await scopes
        .inTenant(shop, async (unit) => {
          await audit.append(unit, shop, prepared);
          for (let pause = 0; pause < writer * 3; pause++) await yieldOnce();
          if (isUndone) throw new Error('undone');
        })
        .catch((error: Error) => expect(error.message).toBe('undone'));
      if (!isUndone) committed += 1;
    }
  });
  const sealers = [1, 2].map(async () => {
    while (isWriting) await look(50);
  });
  await Promise.all(writers);
  isWriting = false;
  await Promise.all(sealers);
  await seal();
  await checkpoint();
  expect(await ids(shop)).toHaveLength(committed);
  expect(await verify(shop)).toMatchObject({ state: 'whole', events: committed, unsealed: 0 });
  expect(await verify(bank)).toMatchObject({ state: 'whole', events: 60, unsealed: 0 });
});

test('of several schedulers one seals at a time, and the others see how late it is', async () => {
  const { note, look, seal, asOwner, shop } = await anAuditTrail();
  await note(shop);
  await asOwner(async (client) => {
    await client.query('BEGIN');
    await client.query('SELECT pg_advisory_xact_lock(727073691)');
    const seen = await look();
    expect(seen).toMatchObject({ is_sealer: false, sealed_events: 0 });
    expect(seen.lag_seconds).toBeGreaterThan(0);
    await client.query('COMMIT');
  });
  await seal();
});
