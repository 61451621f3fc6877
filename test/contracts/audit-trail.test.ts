import { describe, expect, test } from 'vitest';
import { installationTrail, readAuditActor } from '#audit/audit-trail.ts';
import { createAuditTrail } from '#audit/create-audit-trail.ts';
import { newId, toWire } from '#domain/ids.ts';
import { anAuditTrail, anEvent } from '../support/an-audit-trail.ts';

const page = { limit: 100 };

describe('an event in the unit that it tells of', () => {
  test('is kept with it', async () => {
    const { audit, scopes, shop } = await anAuditTrail();
    const prepared = await audit.prepare(shop, {
      ...anEvent,
      detail: { fields: ['name'] },
      requestId: 'req_1',
    });
    await scopes.inTenant(shop, (unit) => audit.append(unit, shop, prepared));
    const { events } = await scopes.inTenant(shop, (unit) => audit.search(unit, shop, page));
    expect(events).toEqual([
      {
        id: toWire('auditEvent', prepared.id),
        at: expect.stringMatching(/^\d{4}-.*Z$/),
        actor: { kind: 'user', id: toWire('user', anEvent.actor.id ?? '') },
        action: 'revokeApiKey',
        permission: 'api_keys:admin',
        resource: { kind: 'api_key', id: 'key_0123' },
        outcome: 'allowed',
        reason: '',
        requestId: 'req_1',
        detail: { fields: ['name'] },
      },
    ]);
  });

  test('is undone with it', async () => {
    const { audit, scopes, shop, ids } = await anAuditTrail();
    const prepared = await audit.prepare(shop, anEvent);
    const undone = scopes.inTenant(shop, async (unit) => {
      await audit.append(unit, shop, prepared);
      throw new Error('Something else went wrong.');
    });
    await expect(undone).rejects.toThrow('Something else went wrong.');
    expect(await ids(shop)).toEqual([]);
  });

  test('goes into no other tenant’s trail', async () => {
    const { audit, scopes, shop, bank } = await anAuditTrail();
    const prepared = await audit.prepare(bank, anEvent);
    await expect(scopes.inTenant(shop, (unit) => audit.append(unit, bank, prepared))).rejects.toMatchObject({
      code: 'scope_violation',
    });
  });

  test('is the installation’s in the scope of people', async () => {
    const { audit, scopes } = await anAuditTrail();
    const prepared = await audit.prepare(installationTrail, {
      ...anEvent,
      actor: { kind: 'nobody' },
      personal: { address: '192.0.2.7' },
    });
    await scopes.inIdentity((unit) => audit.append(unit, installationTrail, prepared));
    const { events } = await scopes.inIdentity((unit) => audit.search(unit, installationTrail, page));
    expect(events).toMatchObject([{ actor: { kind: 'nobody' }, personal: { address: '192.0.2.7' } }]);
  });
});

describe('a note', () => {
  test('is kept once it is told, whatever becomes of anything else', async () => {
    const { note, ids, shop } = await anAuditTrail();
    await note(shop);
    expect(await ids(shop)).toHaveLength(1);
  });

  test('costs one commit together with those that come at the same moment', async () => {
    const { scopes, keyRing, shop, bank, ids } = await anAuditTrail();
    let calls = 0;
    const counting: typeof scopes = {
      ...scopes,
      call(name, parameters) {
        if (name === 'swarmgate.note_audit_v2') calls += 1;
        return scopes.call(name, parameters);
      },
    };
    const audit = createAuditTrail({ scopes: counting, keyRing });
    const trails = Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? shop : bank));
    await Promise.all(trails.map((trail) => audit.note(trail, anEvent)));
    expect(calls).toBe(2);
    expect(await ids(shop)).toHaveLength(50);
    expect(await ids(bank)).toHaveLength(50);
  });

  test('rejects when it cannot be kept', async () => {
    const { scopes, keyRing, shop } = await anAuditTrail();
    const away: typeof scopes = { ...scopes, call: () => Promise.reject(new Error('The database is away.')) };
    await expect(createAuditTrail({ scopes: away, keyRing }).note(shop, anEvent)).rejects.toThrow('away');
  });

  test('that the database does not take spoils no other one', async () => {
    const { note, ids, shop } = await anAuditTrail();
    const bad = { outcome: 'perhaps' as 'allowed' };
    const kept = await Promise.allSettled([note(shop), note(shop), note(shop, bad), note(shop)]);
    expect(kept.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(await ids(shop)).toHaveLength(3);
  });

  test('takes whatever a stranger has put into it', async () => {
    const { note, shop, scopes, audit } = await anAuditTrail();
    const hostile = `key_\u0000\ud800${'x'.repeat(10_000)}`;
    await note(shop, {
      resource: { kind: 'api_key', id: hostile },
      reason: hostile,
      detail: { [hostile]: [hostile], fields: { inner: hostile.slice(0, 20) } },
      personal: { userAgent: hostile },
    });
    const { events } = await scopes.inTenant(shop, (unit) => audit.search(unit, shop, page));
    const [event] = events;
    expect(event?.resource.id).toHaveLength(200);
    expect(event?.resource.id).toMatch(/^key_\ufffd\ufffdx+$/);
    expect(event?.detail).toEqual({ tooLong: true });
    expect(event?.personal?.userAgent).toHaveLength(500);
  });
});

describe('what is kept', () => {
  test('cannot be changed or removed by a tenant', async () => {
    const { note, seal, scopes, shop } = await anAuditTrail();
    await note(shop);
    await seal();
    for (const sql of [
      `UPDATE swarmgate.audit_events SET reason = 'better so'`,
      'DELETE FROM swarmgate.audit_events',
      'UPDATE swarmgate.audit_seals SET number = 2',
      'DELETE FROM swarmgate.audit_seals',
      `INSERT INTO swarmgate.audit_seals SELECT tenant_id, 2, sealed_at, event_ids, event_hashes, hash, to_xid FROM swarmgate.audit_seals`,
    ])
      await expect(
        scopes.inTenant(shop, (unit) => unit.sql(sql)),
        sql,
      ).rejects.toMatchObject({
        code: 'scope_violation',
      });
  });

  test('is sealed where a tenant sees it, and no other tenant does', async () => {
    const { note, seal, scopes, shop, bank } = await anAuditTrail();
    await note(shop);
    await seal();
    const sealsSeen = (tenant: typeof shop) =>
      scopes.inTenant(tenant, (unit) => unit.sql('SELECT number FROM swarmgate.audit_seals'));
    expect(await sealsSeen(shop)).toHaveLength(1);
    expect(await sealsSeen(bank)).toEqual([]);
  });
});

describe('what is looked for', () => {
  test('comes by actor, action, resource, outcome and time, page by page, the latest first', async () => {
    const { note, scopes, audit, shop } = await anAuditTrail();
    const key = newId();
    const beforeAll = new Date();
    for (const number of [1, 2, 3])
      await note(shop, { action: `act${number}`, resource: { kind: 'thing', id: `thing_${number}` } });
    await note(shop, { actor: { kind: 'api_key', id: key }, action: 'listAgents', outcome: 'refused' });
    const search = (what: Partial<Parameters<typeof audit.search>[2]>) =>
      scopes.inTenant(shop, (unit) => audit.search(unit, shop, { ...page, ...what }));
    const actions = async (what: Parameters<typeof search>[0]) =>
      (await search(what)).events.map(({ action }) => action);
    // Within a millisecond there is no order but that of the ids.
    const all = (await search({})).events;
    expect(all.map(({ id }) => id)).toEqual(
      all
        .map(({ id }) => id)
        .sort()
        .reverse(),
    );
    expect(all.map(({ action }) => action).sort()).toEqual(['act1', 'act2', 'act3', 'listAgents']);

    expect(await actions({ action: 'act2' })).toEqual(['act2']);
    expect(await actions({ resourceId: 'thing_3' })).toEqual(['act3']);
    expect(await actions({ outcome: 'refused' })).toEqual(['listAgents']);
    expect(await actions({ actor: readAuditActor(toWire('apiKey', key)) })).toEqual(['listAgents']);
    expect(await actions({ actor: { kind: 'user' }, action: 'listAgents' })).toEqual([]);
    expect(await actions({ before: new Date(beforeAll.getTime() - 60_000) })).toEqual([]);
    expect(await actions({ after: new Date(beforeAll.getTime() - 60_000) })).toHaveLength(4);
    const first = await search({ limit: 3 });
    expect(first.events).toHaveLength(3);
    const second = await search({ limit: 3, cursor: first.nextCursor });
    expect([...first.events, ...second.events]).toEqual(all);
    expect(second.nextCursor).toBeUndefined();
    await expect(search({ cursor: 'aud_nothing' })).rejects.toMatchObject({ code: 'bad_cursor' });
  });

  test('is another tenant’s to nobody', async () => {
    const { note, scopes, audit, shop, bank } = await anAuditTrail();
    await note(bank);
    const { events } = await scopes.inTenant(shop, (unit) => audit.search(unit, bank, page));
    expect(events).toEqual([]);
  });
});

describe('what is personal', () => {
  const personal = { address: '192.0.2.7', userAgent: 'Parrot/1.0' };

  test('is sealed, and opens in its own event only', async () => {
    const { note, scopes, audit, shop, tamper, ids } = await anAuditTrail();
    await note(shop, { personal });
    await note(shop, { personal: { address: '198.51.100.1' } });
    const stored = await scopes.inAudit((unit) => unit.sql('SELECT * FROM swarmgate.audit_events'));
    expect(JSON.stringify(stored)).not.toMatch(/192\.0\.2\.7|Parrot/);
    const shown = async () =>
      (await scopes.inTenant(shop, (unit) => audit.search(unit, shop, page))).events.map(
        (event) => event.personal,
      );
    expect(await shown()).toEqual([{ address: '198.51.100.1' }, personal]);
    const [first, second] = await ids(shop);
    await tamper(
      'UPDATE swarmgate.audit_events SET personal = (SELECT personal FROM swarmgate.audit_events WHERE id = $1) WHERE id = $2',
      [first, second],
    );
    expect(await shown()).toEqual([undefined, personal]);
  });

  test('is gone with its subject, and the trail is as whole as before', async () => {
    const { note, seal, checkpoint, verify, scopes, audit, shop } = await anAuditTrail();
    const [ann, bob] = [newId(), newId()];
    for (const id of [ann, bob]) await note(shop, { actor: { kind: 'user', id }, personal });
    await note(shop, { actor: { kind: 'nobody' }, personal });
    await seal();
    await checkpoint();
    await scopes.inTenant(shop, (unit) => audit.eraseSubject(unit, shop, ann));
    const { events } = await scopes.inTenant(shop, (unit) => audit.search(unit, shop, page));
    expect(events).toMatchObject([
      { actor: { kind: 'nobody' }, personal },
      { actor: { id: toWire('user', bob) }, personal },
      { actor: { id: toWire('user', ann) }, isErased: true },
    ]);
    expect(events[2]?.personal).toBeUndefined();
    expect(await verify(shop)).toMatchObject({ state: 'whole', events: 3 });
    // Should they come again, they are a new subject.
    await note(shop, { actor: { kind: 'user', id: ann }, personal });
    const again = await scopes.inTenant(shop, (unit) => audit.search(unit, shop, page));
    expect(again.events.map((event) => event.personal)).toEqual([personal, personal, personal, undefined]);
  });

  test('of somebody without an id goes with all that strangers have left in the trail', async () => {
    const { note, scopes, audit, shop } = await anAuditTrail();
    await note(shop, { actor: { kind: 'nobody' }, personal });
    await scopes.inTenant(shop, (unit) => audit.eraseSubject(unit, shop, shop));
    const { events } = await scopes.inTenant(shop, (unit) => audit.search(unit, shop, page));
    expect(events).toMatchObject([{ isErased: true }]);
  });
});
