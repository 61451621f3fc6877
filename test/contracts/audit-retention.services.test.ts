import { describe, expect, test } from 'vitest';
import { keepDrop, readDrop, signDrop } from '#audit/audit-drop.ts';
import type { PreparedAuditEvent } from '#audit/audit-trail.ts';
import { dropOldEvents } from '#audit/drop-old-events.ts';
import type { Uuid } from '#domain/ids.ts';
import { anAuditTrail, anEvent } from '../support/an-audit-trail.ts';

const tomorrow = () => new Date(Date.now() + 86_400_000);

/** Six events in three seals and a checkpoint; those of the first two seals are sixty days old. */
async function anOldTrail() {
  const trail = await anAuditTrail();
  const { shop, scopes, audit, tamper, seal, checkpoint, ids } = trail;
  for (let number = 1; number <= 3; number++) {
    // In one transaction, so that no other test's can part them.
    const told: PreparedAuditEvent[] = [];
    for (const action of ['one', 'two'])
      told.push(await audit.prepare(shop, { ...anEvent, action: `${action}${number}` }));
    await scopes.inTenant(shop, async (unit) => {
      for (const event of told) await audit.append(unit, shop, event);
    });
    if (number < 3)
      await tamper(
        `UPDATE swarmgate.audit_events SET at = at - interval '60 days' WHERE tenant_id = $1 AND xid >=
        coalesce((SELECT max(to_xid) FROM swarmgate.audit_seals), '0')`,
        [shop],
      );
    await seal();
  }
  await checkpoint();
  expect(await trail.verify(shop)).toMatchObject({ state: 'whole', events: 6, seals: 3, dropped: 0 });
  const events = await ids(shop);
  /** Whose events are old may go, as the scheduler says it: all seals up to a number. */
  const dropUpTo = async (number: number): Promise<number> => {
    const [row] = await trail.scopes.inAudit((unit) =>
      unit.sql<{ sealed_at: Date }>(
        'SELECT sealed_at FROM swarmgate.audit_seals WHERE tenant_id = $1 AND number = $2',
        [shop, number + 1],
      ),
    );
    return dropOldEvents(trail, row?.sealed_at ?? tomorrow());
  };
  return { ...trail, events, dropUpTo };
}

test('whole seals of events that are old go, and the trail is whole without them', async () => {
  const { shop, dropUpTo, verify, ids, events, note, seal, checkpoint } = await anOldTrail();
  expect(await dropUpTo(2)).toBe(4);
  expect(await ids(shop)).toEqual(events.slice(4));
  expect(await verify(shop)).toMatchObject({
    state: 'whole',
    events: 2,
    seals: 3,
    dropped: 4,
    checkpoints: 1,
  });
  expect(await dropUpTo(2)).toBe(0);
  await note(shop);
  await seal();
  await checkpoint();
  expect(await verify(shop)).toMatchObject({
    state: 'whole',
    events: 3,
    seals: 4,
    dropped: 4,
    checkpoints: 2,
  });
});

test('what is younger than thirty days stays, whatever is asked', async () => {
  const { shop, scopes, key, ids, events, verify } = await anOldTrail();
  await dropOldEvents({ scopes, key }, tomorrow());
  expect(await ids(shop)).toEqual(events.slice(4));
  expect(await verify(shop)).toMatchObject({ state: 'whole' });
});

test('another trail is as it was', async () => {
  const { bank, note, seal, scopes, key, verify, checkpoint } = await anOldTrail();
  await note(bank);
  await seal();
  await checkpoint();
  await dropOldEvents({ scopes, key }, new Date(Date.now() - 60_000));
  expect(await verify(bank)).toMatchObject({ state: 'whole', events: 1, dropped: 0 });
});

describe('nobody passes off as old', () => {
  test('what they have taken away behind that', async () => {
    const { shop, dropUpTo, verify, tamper, events } = await anOldTrail();
    await dropUpTo(2);
    await tamper('DELETE FROM swarmgate.audit_events WHERE id = $1', [events[4] as Uuid]);
    expect(await verify(shop)).toMatchObject({ state: 'tampered', problem: { kind: 'head', seal: 3 } });
  });

  test('what they say themselves was old', async () => {
    const { shop, dropUpTo, verify, tamper, events } = await anOldTrail();
    await dropUpTo(1);
    await tamper('DELETE FROM swarmgate.audit_events WHERE id = ANY ($1)', [events.slice(2, 4)]);
    await tamper(`UPDATE swarmgate.audit_drops d SET to_number = 2, hash = s.hash FROM swarmgate.audit_seals s
      WHERE s.tenant_id = d.tenant_id AND s.number = 2`);
    expect(await verify(shop)).toMatchObject({
      state: 'tampered',
      problem: { kind: 'gap', says: expect.stringContaining('not signed by our keys') },
    });
  });

  test('what was signed for another trail', async () => {
    const { shop, bank, key, scopes, verify, tamper } = await anOldTrail();
    await scopes.inAudit(async (unit) => {
      const [seal] = await unit.sql<{ hash: Buffer }>(
        'SELECT hash FROM swarmgate.audit_seals WHERE tenant_id = $1 AND number = 3',
        [shop],
      );
      if (!seal) throw new Error('There is no third seal.');
      const drop = { trail: bank, number: 3, hash: seal.hash, at: new Date() };
      await keepDrop(unit, signDrop(drop, key));
    });
    await tamper('UPDATE swarmgate.audit_drops SET tenant_id = $1', [shop]);
    await tamper('DELETE FROM swarmgate.audit_events WHERE tenant_id = $1', [shop]);
    expect(await verify(shop)).toMatchObject({ state: 'tampered', problem: { kind: 'gap' } });
  });

  test('seals, or an end that was cut off', async () => {
    const { shop, dropUpTo, verify, tamper, scopes } = await anOldTrail();
    await dropUpTo(2);
    expect(await scopes.inAudit((unit) => readDrop(unit, shop))).toMatchObject({ number: 2 });
    await tamper('DELETE FROM swarmgate.audit_seals WHERE tenant_id = $1 AND number >= 2', [shop]);
    expect(await verify(shop, [])).toMatchObject({ state: 'tampered', problem: { kind: 'head', seal: 2 } });
  });

  test('an event that came back with other words', async () => {
    const { shop, dropUpTo, verify, tamper, events } = await anOldTrail();
    await dropUpTo(1);
    await tamper(
      `INSERT INTO swarmgate.audit_events (tenant_id, id, xid, actor_kind, action, resource_kind, outcome)
         VALUES ($1, $2, '1', 'system', 'another', 'tenant', 'allowed')`,
      [shop, events[0]],
    );
    expect(await verify(shop)).toMatchObject({ state: 'tampered', problem: { kind: 'content', seal: 1 } });
  });
});

test('a drop is no more than one piece at a time, and can be stopped between two', async () => {
  const { scopes, key, shop, ids, verify } = await anOldTrail();
  const stop = new AbortController();
  stop.abort();
  expect(await dropOldEvents({ scopes, key }, tomorrow(), stop.signal)).toBe(0);
  expect(await ids(shop)).toHaveLength(6);
  expect(await verify(shop)).toMatchObject({ state: 'whole', events: 6 });
});
