/**
 * The service with everything that a benchmark of the API asks with: keys of a tenant, and people who may look at it. Told
 * where to write them by BENCH_CREDENTIALS. A call with `X-Bench-Known` is let in as whoever had its credentials before,
 * without looking at them again: what is measured beside is the same request without authentication.
 */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createApp } from '../../src/app.ts';
import { operateApiKeys } from '../../src/cli/api-keys.ts';
import { operateMembers } from '../../src/cli/members.ts';
import { operateUsers } from '../../src/cli/users.ts';
import { readConfig } from '../../src/config/config.ts';
import { createLogger } from '../../src/kernel/logger.ts';

export type Credentials = {
  tenantId: string;
  keys: string[];
  people: { email: string; password: string }[];
};

const tenant = 'tenant-0';
const keys = 20;
const people = 16;

type Authenticate = Parameters<
  NonNullable<NonNullable<Parameters<typeof createApp>[3]>['wrapAuthenticate']>
>[0];
const known = new Map<string, ReturnType<Authenticate>>();

const app = await createApp(
  readConfig(process.env as Record<string, string>),
  createLogger('error'),
  import.meta.dirname,
  {
    wrapAuthenticate: (authenticate) => (request) => {
      const credentials = request.get('authorization') ?? '';
      const remembered = request.get('x-bench-known') ? known.get(credentials) : undefined;
      if (remembered) return remembered;
      const principal = authenticate(request);
      known.set(credentials, principal);
      return principal;
    },
  },
);
const credentials: Credentials = { keys: [], people: [], tenantId: '' };
for (let n = 0; n < keys; n += 1) {
  const [made] = await operateApiKeys(app.storage, {
    act: 'create',
    tenant,
    name: `key ${n}`,
    role: 'viewer',
  });
  credentials.keys.push(made?.key ?? '');
  credentials.tenantId = made?.tenantId ?? '';
}
for (let n = 0; n < people; n += 1) {
  const person = { email: `person-${n}@bench.example`, password: randomBytes(16).toString('base64url') };
  await operateUsers(app.storage, { act: 'create', name: `Person ${n}`, isOperator: false, ...person });
  await operateMembers(app.storage, { act: 'add', tenant, email: person.email, role: 'viewer' });
  credentials.people.push(person);
}
writeFileSync(process.env['BENCH_CREDENTIALS'] ?? '', JSON.stringify(credentials), { mode: 0o600 });

const stopped = new Promise((resolve) => process.once('SIGTERM', resolve));
const { port } = await app.start();
console.log(JSON.stringify({ port }));
await stopped;
await app.close();
process.exit();
