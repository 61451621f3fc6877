import { randomUUID } from 'node:crypto';
import { api } from '@swarmgate/contract/rest/api.ts';
import type { PathId } from '@swarmgate/contract/rest/ids.ts';
import type { Operation } from '@swarmgate/contract/rest/operation.ts';
import fc from 'fast-check';
import { z } from 'zod';
import { pathIdsOf } from '../../../src/admin/call.ts';
import { anOrganizer, aPersonSignedIn } from '../../support/a-browser.ts';
import type { Service } from '../../support/a-service.ts';
import { type ApiAnswer, anApiCaller, callerOf } from '../../support/an-api-caller.ts';
import { arbitraryOf, type JsonSchema } from '../../support/arbitrary-of.ts';
import type { MarkedTenant } from './marked-tenant.ts';

/** One call that reaches for what is another tenant's. */
export type Reach = {
  operation: string;
  /** With what: `owner`, `viewer`, … of the tenant that reaches. */
  credential: string;
  /** Which ids of the other tenant's stand in it, and where. */
  foreign: string;
  send: () => Promise<ApiAnswer>;
};

const hasOnly = <Key extends string, Value>(entries: Iterable<readonly [Key, Value]>) =>
  Object.fromEntries(entries) as Record<Key, Value>;

/** Every operation, with every id of the other tenant's in every place that takes one, by every kind of credential. */
export async function* everyReach(
  service: Service,
  ours: MarkedTenant,
  theirs: MarkedTenant,
): AsyncIterable<Reach> {
  let us: Cast | undefined;
  let calls = 0;
  for (const [name, operation] of Object.entries<Operation>(api)) {
    const places = [...everyPlace(operation, ours, theirs)];
    if (places.length === 0) continue;
    // New ones now and then, since a caller may call so often a minute.
    calls += places.length;
    if (!us || calls > callsMax) {
      calls = places.length;
      us = await aCast(service, ours);
    }
    const { viewer, owner, member, organizer } = us;
    const credentials: Readonly<Record<string, Credential>> = {
      none: {},
      'not one of ours': { bearer: `sgk_${'x'.repeat(73)}` },
      'their key, its end cut': { bearer: theirs.owner.key.slice(0, -1) },
      viewer: { bearer: viewer.key },
      owner: { bearer: owner.key },
      'a member’s session': { cookie: member.cookie },
      'a member’s token': { bearer: member.token },
      'a token for our tenant': { bearer: member.tokenForTenant },
      'an organization’s owner': { cookie: organizer.cookie },
    };
    for (const [credential, { bearer, cookie }] of Object.entries(credentials)) {
      const call = callerOf(service, bearer);
      for (const { path, body, foreign } of places) {
        // So may a network that has no good credentials.
        const headers = {
          'x-forwarded-for': anAddress(),
          ...(cookie !== undefined && { cookie, 'x-csrf': '1' }),
        };
        const options = { ...(body !== undefined && { body }), headers };
        yield {
          ...{ operation: name, credential, foreign },
          send: () => call(operation.method.toUpperCase(), path, options),
        };
      }
    }
  }
}

/** What one caller may call in a minute is 600, and a session serves for three of them. */
const callsMax = 150;

type Cast = Awaited<ReturnType<typeof aCast>>;

async function aCast(service: Service, ours: MarkedTenant) {
  const [viewer, owner, member, organizer] = await Promise.all([
    anApiCaller(service, { tenant: ours.slug, role: 'viewer' }),
    anApiCaller(service, { tenant: ours.slug, role: 'owner' }),
    aMember(service, ours),
    anOrganizer(service, { organization: `${ours.slug}-organization`, role: 'owner' }, anAddress()),
  ]);
  return { viewer, owner, member, organizer };
}

/** Somebody who belongs to our tenant: a session, a token for wherever they belong, and one for our tenant alone. */
async function aMember(service: Service, ours: MarkedTenant) {
  const email = `${randomUUID()}@example.com`;
  const browser = await aPersonSignedIn(service, { email, tenant: ours.slug, role: 'member' }, anAddress());
  const tokenFor = async (body: object): Promise<string> =>
    (await browser.call('POST', '/tokens', { body })).body.accessToken;
  return {
    cookie: browser.cookie,
    token: await tokenFor({}),
    tokenForTenant: await tokenFor({ tenantId: ours.ids.tenantId }),
  };
}

type Credential = { bearer?: string | undefined; cookie?: string | undefined };

let addresses = 0;
const anAddress = () => `10.0.${++addresses >> 8}.${addresses & 255}`;

type Place = { path: string; body: unknown; foreign: string };

function* everyPlace(operation: Operation, ours: MarkedTenant, theirs: MarkedTenant): Iterable<Place> {
  const names = pathIdsOf(operation);
  const pathWith = (whose: Readonly<Record<string, MarkedTenant>>) =>
    names.reduce(
      (path, name) => path.replace(`{${name}}`, () => idOf(whose[name] ?? ours, name)),
      operation.path as string,
    );
  if (names.includes('tenantId')) {
    const all = hasOnly(names.map((name) => [name, theirs]));
    const [body] = sampleOf(operation);
    yield { path: pathWith(all), body, foreign: 'the tenant' };
  }
  for (const name of names.filter((one) => one !== 'tenantId')) {
    for (const given of sampleOf(operation))
      yield { path: pathWith({ [name]: theirs }), body: given, foreign: name };
  }
  for (const given of bodiesWithForeignIds(operation, theirs))
    yield { path: pathWith({}), body: given, foreign: 'an id in the body' };
}

function idOf(tenant: MarkedTenant, name: PathId): string {
  const id = tenant.ids[name];
  if (id === undefined) throw new Error(`The prover has no example of {${name}}: give marked-tenant.ts one.`);
  return id;
}

/** Some bodies that the operation takes; one that is none where it takes none. */
function sampleOf(operation: Operation): unknown[] {
  if (!operation.body) return [undefined];
  return fc.sample(arbitraryOf(schemaOf(operation.body)), { numRuns: 2, seed: 7 });
}

function bodiesWithForeignIds(operation: Operation, theirs: MarkedTenant): unknown[] {
  // Who needs no credentials names nothing by its id.
  if (!operation.body || operation.needs === 'no-credentials') return [];
  const { properties = {} } = schemaOf(operation.body);
  const takesIds = Object.entries(properties).filter(
    ([, { type }]) => type === undefined || type === 'string' || type === 'array',
  );
  return takesIds.flatMap(([name, { type }]) =>
    Object.values(theirs.ids).flatMap((id) =>
      sampleOf(operation)
        .slice(0, 1)
        .map((body) => ({ ...(body as object), [name]: type === 'array' ? [id] : id })),
    ),
  );
}

const schemaOf = (schema: z.ZodType): JsonSchema =>
  z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
