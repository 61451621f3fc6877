import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { AuditEvent } from '#audit/audit-trail.ts';
import { createCheckpointFile } from '#audit/checkpoint-file.ts';
import { checkpointKeys } from '#audit/checkpoint-keys.ts';
import { createAuditTrail } from '#audit/create-audit-trail.ts';
import type { TrailVerdict } from '#audit/verdict.ts';
import { verifyAudit } from '#audit/verify-audit.ts';
import { writeCheckpoints } from '#audit/write-checkpoints.ts';
import { newId, type Uuid } from '#domain/ids.ts';
import { insertTenants } from '../isolation/tenant-rows.ts';
import { aDatabase } from './a-database.ts';
import { eventually } from './eventually.ts';

export type Look = {
  is_sealer: boolean;
  is_rewound: boolean;
  has_more: boolean;
  sealed_events: number;
  lag_seconds: number;
};

/** Two tenants with an audit trail each, and a file for checkpoints. Nobody seals but the test itself. */
export async function anAuditTrail() {
  const database = await aDatabase();
  const { scopes, keyRing } = database;
  const [shop, bank] = [newId(), newId()];
  await database.asOwner((client) => insertTenants(client, newId(), [shop, bank]));
  const folder = await mkdtemp(join(tmpdir(), 'swarmgate_test_audit_'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'audit', 'checkpoints.jsonl');
  const [key] = checkpointKeys(keyRing);
  if (!key) throw new Error('There is no key to sign with.');
  const audit = createAuditTrail({ scopes, keyRing });

  async function look(limit = 5_000): Promise<Look> {
    const [seen] = await scopes.call<Look>('swarmgate.seal_audit_v1', [limit]);
    if (!seen) throw new Error('The sealer said nothing.');
    return seen;
  }

  return {
    ...database,
    ...{ shop, bank, audit, path, key },
    /** Tells of something that is not worth telling more of. */
    note: (trail: Uuid, what: Partial<AuditEvent> = {}) => audit.note(trail, { ...anEvent, ...what }),
    look,
    /** Seals everything. On a server, other tests' transactions are waited for too. */
    seal: (limit?: number): Promise<void> =>
      eventually(async () => {
        const { lag_seconds: lagSeconds } = await look(limit);
        if (lagSeconds > 0) throw new Error(`Something waits for ${lagSeconds} s.`);
      }),
    checkpoint: () => writeCheckpoints({ scopes, key, file: createCheckpointFile(path) }),
    async verify(
      trail: Uuid,
      files: readonly string[] = [path],
      checkpointDelayMs?: number,
    ): Promise<TrailVerdict> {
      const delay = checkpointDelayMs !== undefined && { checkpointDelayMs };
      const { trails } = await verifyAudit({ scopes, keyRing }, { trail, files, ...delay });
      const [verdict] = trails;
      if (!verdict) throw new Error('Nothing was verified.');
      return verdict;
    },
    /** Ids of what a trail holds, in the order in which it is sealed. */
    async ids(trail: Uuid): Promise<Uuid[]> {
      const rows = await scopes.inAudit((unit) =>
        unit.sql<{ id: Uuid }>('SELECT id FROM swarmgate.audit_events WHERE tenant_id = $1 ORDER BY id', [
          trail,
        ]),
      );
      return rows.map(({ id }) => id);
    },
    /** What only whoever owns the database can do. */
    tamper: (sql: string, values: unknown[] = []) =>
      database.asOwner(async (client) => void (await client.query(sql, values))),
  };
}

export const anEvent: AuditEvent = {
  actor: { kind: 'user', id: newId() },
  action: 'revokeApiKey',
  permission: 'api_keys:admin',
  resource: { kind: 'api_key', id: 'key_0123' },
  outcome: 'allowed',
};
