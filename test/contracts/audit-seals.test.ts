import { createHash, createPublicKey, verify as verifySignature } from 'node:crypto';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { installationTrail } from '#audit/audit-trail.ts';
import { checkpointKeys } from '#audit/checkpoint-keys.ts';
import { verifyAudit } from '#audit/verify-audit.ts';
import { newId, toWire, type Uuid } from '#domain/ids.ts';
import { createKeyRing } from '#kernel/key-ring.ts';
import { anAuditTrail } from '../support/an-audit-trail.ts';

type Trail = Awaited<ReturnType<typeof anAuditTrail>>;

/** Five events in five seals and a checkpoint. */
async function aSealedTrail(): Promise<Trail & { events: Uuid[] }> {
  const trail = await anAuditTrail();
  for (let number = 1; number <= 5; number++) {
    await trail.note(trail.shop, {
      action: `act${number}`,
      reason: 'Says „Grüße“ 👋',
      detail: { b: 1.5, a: ['x', null], long: { er: true } },
      personal: { address: '192.0.2.7' },
    });
    await trail.seal();
  }
  await trail.checkpoint();
  return { ...trail, events: await trail.ids(trail.shop) };
}

describe('sealing', () => {
  test('takes everything once, each trail by itself, and what SQL hashes TypeScript hashes too', async () => {
    const { note, seal, look, verify, checkpoint, shop, bank } = await anAuditTrail();
    await Promise.all([shop, bank, shop, installationTrail].map((trail) => note(trail)));
    await seal();
    await note(shop, {
      actor: { kind: 'nobody' },
      resource: { kind: 'thing' },
      outcome: 'failed',
      reason: 'Ünïcode ☃',
      requestId: 'req_1',
      detail: { 'a key': [1e21, 0.1, -0, 'é', { z: null, aa: [] }] },
    });
    await seal();
    expect(await look()).toMatchObject({
      is_sealer: true,
      sealed_events: 0,
      has_more: false,
      lag_seconds: 0,
    });
    await checkpoint();
    expect(await verify(shop)).toMatchObject({ state: 'whole', events: 3, unsealed: 0, checkpoints: 1 });
    expect(await verify(bank)).toMatchObject({ state: 'whole', events: 1, seals: 1 });
    expect(await verify(installationTrail)).toMatchObject({ state: 'whole', events: 1, seals: 1 });
  });

  test('goes on in bounded pieces', async () => {
    const { note, look, seal, verify, shop, checkpoint, scopes } = await anAuditTrail();
    for (let number = 0; number < 10; number++) await note(shop);
    await seal(3);
    const sizes = await scopes.inAudit((unit) =>
      unit.sql<{ size: number }>(
        'SELECT cardinality(event_ids) AS size FROM swarmgate.audit_seals ORDER BY number',
      ),
    );
    expect(Math.max(...sizes.map(({ size }) => size))).toBeLessThanOrEqual(3);
    expect(sizes.reduce((sum, { size }) => sum + size, 0)).toBe(10);
    // One transaction is not divided.
    await Promise.all(Array.from({ length: 20 }, () => note(shop)));
    await seal(3);
    expect(await look()).toMatchObject({ has_more: false, sealed_events: 0 });
    await checkpoint();
    expect(await verify(shop)).toMatchObject({ state: 'whole', events: 30 });
  });

  test('goes on after a dump was restored where transactions have lower numbers, once the owner has said so', async () => {
    const { note, look, seal, verify, tamper, checkpoint, shop, ids } = await aSealedTrail();
    await note(shop);
    // What the dump brings along.
    await tamper(`UPDATE swarmgate.audit_seals SET to_xid = '4000000000000'`);
    await tamper(`UPDATE swarmgate.audit_events SET xid = '3999999999999' WHERE id = ANY ($1)`, [
      (await ids(shop)).slice(0, 5),
    ]);
    await note(shop);
    expect(await look()).toMatchObject({ is_rewound: true, sealed_events: 0 });
    await tamper('SELECT swarmgate.rebase_audit()');
    await seal();
    expect(await look()).toMatchObject({ is_rewound: false, sealed_events: 0 });
    await checkpoint();
    expect(await verify(shop)).toMatchObject({ state: 'whole', events: 7, unsealed: 0 });
  });
});

describe('verifying finds', () => {
  test('nothing, where nothing was done', async () => {
    const { verify, shop } = await aSealedTrail();
    expect(await verify(shop)).toMatchObject({ state: 'whole', events: 5, seals: 5, checkpoints: 1 });
  });

  test('an event of which any value was changed', async () => {
    const { verify, tamper, shop, events } = await aSealedTrail();
    await tamper('CREATE TABLE public.kept AS SELECT * FROM swarmgate.audit_events');
    for (const change of [
      `action = 'nothing'`,
      `actor_kind = 'operator'`,
      'actor_id = gen_random_uuid()',
      'actor_id = NULL',
      'permission = NULL',
      `resource_kind = 'agent'`,
      `resource_id = 'key_9'`,
      `outcome = 'refused'`,
      `reason = ''`,
      `request_id = ''`,
      `detail = '{}'`,
      'personal = NULL',
      `at = at - interval '1 millisecond'`,
    ]) {
      await tamper(`UPDATE swarmgate.audit_events SET ${change} WHERE id = $1`, [events[2]]);
      expect(await verify(shop), change).toMatchObject({
        state: 'tampered',
        problem: { kind: 'content', seal: 3, event: toWire('auditEvent', events[2] ?? '') },
      });
      await tamper('DELETE FROM swarmgate.audit_events');
      await tamper('INSERT INTO swarmgate.audit_events SELECT * FROM public.kept');
    }
    expect(await verify(shop)).toMatchObject({ state: 'whole' });
  });

  test('an event that was removed from the middle', async () => {
    const { verify, tamper, shop, events } = await aSealedTrail();
    await tamper('DELETE FROM swarmgate.audit_events WHERE id = $1', [events[1]]);
    expect(await verify(shop)).toMatchObject({
      state: 'tampered',
      problem: { kind: 'gap', event: toWire('auditEvent', events[1] ?? '') },
    });
  });

  test('a seal that was removed from the middle, with its event', async () => {
    const { verify, tamper, shop } = await aSealedTrail();
    await tamper(`WITH gone AS (DELETE FROM swarmgate.audit_seals WHERE number = 3 RETURNING event_ids)
      DELETE FROM swarmgate.audit_events e USING gone WHERE e.id = ANY (gone.event_ids)`);
    expect(await verify(shop)).toMatchObject({ state: 'tampered', problem: { kind: 'gap', seal: 3 } });
    await tamper('UPDATE swarmgate.audit_seals SET number = number - 1 WHERE number > 3');
    expect(await verify(shop)).toMatchObject({ state: 'tampered', problem: { kind: 'head', seal: 3 } });
  });

  test('that the end was cut off', async () => {
    const { verify, tamper, shop } = await aSealedTrail();
    await tamper(`DELETE FROM swarmgate.audit_events e USING swarmgate.audit_seals s
      WHERE s.number = 5 AND e.id = ANY (s.event_ids)`);
    expect(await verify(shop)).toMatchObject({ state: 'tampered', problem: { kind: 'head', seal: 5 } });
  });

  test('by a checkpoint only, that the end was cut off and the head written anew', async () => {
    const { verify, tamper, shop, path } = await aSealedTrail();
    await tamper(`WITH gone AS (DELETE FROM swarmgate.audit_seals WHERE number = 5 RETURNING event_ids)
      DELETE FROM swarmgate.audit_events e USING gone WHERE e.id = ANY (gone.event_ids)`);
    expect(await verify(shop, [])).toMatchObject({ state: 'whole', events: 4 });
    expect(await verify(shop)).toMatchObject({
      state: 'tampered',
      problem: { kind: 'checkpoint', seal: 5, line: `${path}:1` },
    });
  });

  test('by a checkpoint only, that an event was changed and all seals behind it written anew', async () => {
    const { verify, tamper, shop, events } = await aSealedTrail();
    await tamper(`UPDATE swarmgate.audit_events SET action = 'nothing' WHERE id = $1`, [events[3]]);
    // As somebody who owns the database and has read how it is done.
    await tamper(`DO $$ DECLARE s swarmgate.audit_seals; previous bytea; BEGIN
      FOR s IN SELECT * FROM swarmgate.audit_seals ORDER BY number LOOP
        UPDATE swarmgate.audit_seals u SET event_hashes = (SELECT swarmgate.audit_event_hash(e) FROM swarmgate.audit_events e WHERE e.id = s.event_ids[1])
          WHERE u.number = s.number RETURNING * INTO s;
        UPDATE swarmgate.audit_seals u SET hash = swarmgate.audit_seal_hash(s.tenant_id, s.number, s.sealed_at, previous, s.event_hashes)
          WHERE u.number = s.number RETURNING hash INTO previous;
      END LOOP; END $$`);
    expect(await verify(shop, [])).toMatchObject({ state: 'whole', events: 5 });
    expect(await verify(shop)).toMatchObject({ state: 'tampered', problem: { kind: 'checkpoint', seal: 5 } });
  });

  test('by a checkpoint only, that a whole trail is gone', async () => {
    const { tamper, scopes, keyRing, path, shop } = await aSealedTrail();
    await tamper('DELETE FROM swarmgate.audit_seals');
    await tamper('DELETE FROM swarmgate.audit_events');
    const verdict = await verifyAudit({ scopes, keyRing }, { files: [path] });
    expect(verdict).toMatchObject({
      state: 'tampered',
      trails: [{ trail: toWire('tenant', shop), problem: { kind: 'checkpoint' } }],
    });
  });

  test('a seal that was changed', async () => {
    const { verify, tamper, shop } = await aSealedTrail();
    await tamper(
      `UPDATE swarmgate.audit_seals SET sealed_at = sealed_at - interval '1 day' WHERE number = 2`,
    );
    expect(await verify(shop)).toMatchObject({ state: 'tampered', problem: { kind: 'head', seal: 2 } });
  });
});

describe('checkpoints', () => {
  /** Three checkpoints of one trail. */
  async function withCheckpoints() {
    const trail = await anAuditTrail();
    for (let number = 1; number <= 3; number++) {
      await trail.note(trail.shop);
      await trail.seal();
      expect(await trail.checkpoint()).toBe(1);
    }
    const lines = (await readFile(trail.path, 'utf8')).trimEnd().split('\n');
    return {
      ...trail,
      lines,
      write: (some: (string | undefined)[]) => writeFile(trail.path, `${some.join('\n')}\n`),
    };
  }

  test('are written for what is new only, and go on behind what another process has written', async () => {
    const { checkpoint, verify, shop, bank, note, seal, lines } = await withCheckpoints();
    expect(await checkpoint()).toBe(0);
    await note(bank);
    await seal();
    expect(await checkpoint()).toBe(1);
    expect(lines).toHaveLength(3);
    expect(JSON.parse(lines[1] ?? '').previous).toBe(
      createHash('sha256')
        .update(lines[0] ?? '')
        .digest('hex'),
    );
    expect(await verify(shop)).toMatchObject({ state: 'whole', checkpoints: 3 });
  });

  test('are what the public key says they are, to whoever has nothing but the file and the key', async () => {
    const { lines, key } = await withCheckpoints();
    const published = createPublicKey(key.publicKey.export({ type: 'spki', format: 'pem' }));
    const { trail, number, hash, at, previous, key: id, signature } = JSON.parse(lines[2] ?? '');
    const signed = JSON.stringify(['swarmgate.audit-checkpoint.v1', trail, number, hash, at, previous, id]);
    expect(verifySignature(null, Buffer.from(signed), published, Buffer.from(signature, 'base64url'))).toBe(
      true,
    );
  });

  test('that were changed, removed from the middle or put in another order are found', async () => {
    const { lines, write, verify, shop, path } = await withCheckpoints();
    const [first = '', second = '', third = ''] = lines;
    await write([first, second.replace('"number":2', '"number":1'), third]);
    expect(await verify(shop)).toMatchObject({
      state: 'tampered',
      problem: { kind: 'checkpoint', line: `${path}:2` },
    });
    await write([first, third]);
    expect(await verify(shop)).toMatchObject({
      state: 'tampered',
      problem: { kind: 'checkpoint', line: `${path}:2` },
    });
    await write([second, first, third]);
    expect(await verify(shop)).toMatchObject({ state: 'tampered', problem: { kind: 'checkpoint' } });
  });

  test('that are no checkpoints are found', async () => {
    const { path, scopes, keyRing } = await withCheckpoints();
    await appendFile(path, 'something else\n');
    expect(await verifyAudit({ scopes, keyRing }, { files: [path] })).toMatchObject({
      state: 'tampered',
      problem: { line: `${path}:4` },
    });
  });

  test('that are not there leave the trail unproved, once they should be', async () => {
    const { lines, write, verify, shop, path } = await withCheckpoints();
    await write(lines.slice(0, 2));
    expect(await verify(shop)).toMatchObject({ state: 'whole' });
    expect(await verify(shop, [path], 0)).toMatchObject({
      state: 'incomplete',
      missing: ['the checkpoints end with seal 2: seal 3 should have been written down'],
    });
    expect(await verify(shop, [`${path}.none`], 0)).toMatchObject({ state: 'incomplete' });
  });

  test('of another installation’s key prove nothing, and accuse nobody', async () => {
    const { path, shop, scopes } = await withCheckpoints();
    const foreign = createKeyRing([{ id: 'test', bytes: Buffer.alloc(32, 7) }]);
    const what = { trail: shop, files: [path], checkpointDelayMs: 0 };
    expect(await verifyAudit({ scopes, keyRing: foreign }, what)).toMatchObject({
      state: 'incomplete',
      notes: [expect.stringMatching(/^3 checkpoints are signed/)],
    });
  });

  test('of which a killed process has written half a line go on behind the last whole one', async () => {
    const { path, lines, note, seal, checkpoint, verify, shop } = await withCheckpoints();
    await appendFile(path, (lines[0] ?? '').slice(0, 50));
    await note(shop);
    await seal();
    expect(await checkpoint()).toBe(1);
    expect(await verify(shop)).toMatchObject({ state: 'whole', checkpoints: 4 });
  });

  test('are signed with a key that goes with the master key', () => {
    const ring = (...ids: string[]) =>
      createKeyRing(ids.map((id) => ({ id, bytes: createHash('sha256').update(id).digest() })));
    const [one] = checkpointKeys(ring('one'));
    const [two, old] = checkpointKeys(ring('two', 'one'));
    expect(old?.id).toBe(one?.id);
    expect(two?.id).not.toBe(one?.id);
  });
});

test('what is not sealed for longer than it should take leaves a trail incomplete', async () => {
  const { note, verify, tamper, shop } = await anAuditTrail();
  await note(shop);
  expect(await verify(shop)).toMatchObject({ state: 'whole', unsealed: 1 });
  await tamper(`UPDATE swarmgate.audit_events SET at = at - interval '10 seconds'`);
  expect(await verify(shop)).toMatchObject({
    state: 'incomplete',
    unsealed: 1,
    missing: [expect.stringMatching(/^1 events are not sealed, the oldest for 1\d s/)],
  });
});

test('a tenant that never did anything has a whole trail', async () => {
  const { verify } = await anAuditTrail();
  expect(await verify(newId())).toMatchObject({ state: 'whole', events: 0, seals: 0 });
});
