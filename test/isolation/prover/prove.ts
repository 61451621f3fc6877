import { api } from '@swarmgate/contract/rest/api.ts';
import type { Operation } from '@swarmgate/contract/rest/operation.ts';
import { Redis } from 'ioredis';
import type { WakeUpData } from '#queue/job.ts';
import { pathIdsOf } from '../../../src/admin/call.ts';
import type { Service } from '../../support/a-service.ts';
import { testRedisUrl } from '../../support/test-backend.ts';
import { everythingOf, type MarkedTenant } from './marked-tenant.ts';
import { everyReach } from './reach.ts';

/** Something of one tenant's that was found where another one, or nobody, may see it. */
export type Finding = { where: string; what: string };

export type Proof = {
  findings: Finding[];
  /** What each operation answered whom that reached for another tenant's. */
  matrix: { operation: string; foreign: string; answers: Record<string, string> }[];
  /** What their own tenant sees: a proof that the prover sees what there is. */
  seenByItself: string[];
};

type ProverParts = {
  service: Service;
  ours: MarkedTenant;
  theirs: MarkedTenant;
  /** Hands a job to a worker past the queue. */
  wake: (kind: 'turn' | 'delivery', at: WakeUpData) => Promise<void>;
  /** Whether it also makes every call of the API with every id of theirs. */
  reaches: boolean;
};

/** Reaches for everything that is theirs in every way that is open to ours, and says what came of it. */
export async function prove({ service, ours, theirs, wake, reaches }: ProverParts): Promise<Proof> {
  const findings: Finding[] = [];
  const lookFor: LookFor = (tenant, where, text) => {
    if (text.toLowerCase().includes(tenant.mark))
      findings.push({ where, what: `the mark of ${tenant.slug}` });
  };

  const seenByItself: string[] = [];
  await readAll(findings, theirs, (operation, text) => {
    if (text.includes(theirs.mark)) seenByItself.push(operation);
  });
  const before = await everythingOf(service, theirs.slug);

  const matrix = reaches ? await reachForAll(service, ours, theirs, findings, lookFor) : [];

  await readAll(findings, ours, (operation, text) => lookFor(theirs, `${operation} of our own tenant`, text));
  lookFor(theirs, 'the history of our visitor', JSON.stringify(await ours.visitor.history()));
  await forgeJobs(service, ours, theirs, wake);

  const after = await everythingOf(service, theirs.slug);
  for (const [table, rows] of Object.entries(after))
    if (JSON.stringify(rows) !== JSON.stringify(before[table]))
      findings.push({ where: table, what: 'a change of theirs' });

  for (const tenant of [ours, theirs]) {
    lookFor(tenant, 'the log', JSON.stringify(service.logLines));
    lookFor(tenant, 'the metrics', await (await fetch(`${service.url}/metrics`)).text());
    lookFor(tenant, 'the queue', await dumpQueue(service));
  }
  return { findings, matrix, seenByItself };
}

type LookFor = (tenant: MarkedTenant, where: string, text: string) => void;

async function reachForAll(
  service: Service,
  ours: MarkedTenant,
  theirs: MarkedTenant,
  findings: Finding[],
  lookFor: LookFor,
): Promise<Proof['matrix']> {
  const matrix = new Map<string, Proof['matrix'][number]>();
  for await (const { operation, credential, foreign, send } of everyReach(service, ours, theirs)) {
    const answer = await send();
    lookFor(theirs, `${operation} by ${credential}, with ${foreign}`, JSON.stringify(answer.body ?? ''));
    if (answer.status >= 500) findings.push({ where: operation, what: `a fault (${answer.status})` });
    const row = matrix.get(`${operation} ${foreign}`) ?? { operation, foreign, answers: {} };
    const known = new Set(row.answers[credential]?.split(', '));
    row.answers[credential] = [...known.add(String(answer.status))].filter(Boolean).sort().join(', ');
    matrix.set(`${operation} ${foreign}`, row);
  }
  return [...matrix.values()];
}

/** Reads all that a tenant may read of its own. */
async function readAll(
  findings: Finding[],
  tenant: MarkedTenant,
  look: (operation: string, text: string) => void,
): Promise<void> {
  for (const [name, operation] of Object.entries<Operation>(api)) {
    if (operation.method !== 'get' || operation.needs === 'an-operator') continue;
    if (operation.query?.safeParse({}).success === false) continue;
    const isOfOrganization = operation.path.includes('{organizationId}');
    const { call } = isOfOrganization
      ? tenant.organizer
      : operation.needs === 'a-session'
        ? tenant.member
        : tenant.owner;
    const path = pathIdsOf(operation).reduce(
      (whole, id) => whole.replace(`{${id}}`, () => tenant.ids[id] ?? ''),
      operation.path as string,
    );
    const answer = await call('GET', path);
    look(name, JSON.stringify(answer.body));
    if (answer.status !== 200)
      findings.push({ where: `${name} of ${tenant.slug} itself`, what: `it answers ${answer.status}` });
  }
}

/** Jobs that name our tenant and their conversation, and the other way round. */
async function forgeJobs(
  { app }: Service,
  ours: MarkedTenant,
  theirs: MarkedTenant,
  wake: ProverParts['wake'],
): Promise<void> {
  const conversationsOf = (tenant: MarkedTenant) =>
    app.storage.scopes.inTenant(tenant.id, (unit) =>
      unit.sql<{ id: string }>('SELECT id FROM swarmgate.conversations'),
    );
  for (const kind of ['turn', 'delivery'] as const) {
    for (const { id } of await conversationsOf(theirs))
      await wake(kind, { tenantId: ours.id, conversationId: id }).catch(() => {});
    for (const { id } of await conversationsOf(ours))
      await wake(kind, { tenantId: theirs.id, conversationId: id }).catch(() => {});
  }
}

/** All that the queue holds, in Redis or in its own tables. */
async function dumpQueue({ app, installation }: Service): Promise<string> {
  if (!installation.env.REDIS_URL) {
    const { rows } = await app.storage.database.queuePool.query(
      `SELECT query_to_xml(format('SELECT * FROM bullmq.%I', table_name), true, true, '')::text AS dump
         FROM information_schema.tables WHERE table_schema = 'bullmq'`,
    );
    return JSON.stringify(rows);
  }
  const redis = new Redis(testRedisUrl());
  try {
    const dump: string[] = [];
    for (const key of await redis.keys(`${installation.redisPrefix}*`))
      dump.push(key, (await redis.dumpBuffer(key))?.toString('latin1') ?? '');
    return dump.join('\n');
  } finally {
    redis.disconnect();
  }
}
