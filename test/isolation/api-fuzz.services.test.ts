import { randomUUID } from 'node:crypto';
import { api } from '@swarmgate/contract/rest/api.ts';
import { pathIdPrefixes } from '@swarmgate/contract/rest/ids.ts';
import type { Operation } from '@swarmgate/contract/rest/operation.ts';
import { organizationPermissions } from '@swarmgate/contract/rest/organization-permissions.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { addApp, anOperator, aPersonSignedIn, organizationIdOf } from '../support/a-browser.ts';
import { sharedService } from '../support/a-service.ts';
import { type ApiCaller, anApiCaller, callerOf } from '../support/an-api-caller.ts';
import { arbitraryOf, type JsonSchema } from '../support/arbitrary-of.ts';
import { hostileTexts } from '../support/hostile-texts.ts';

const service = sharedService({ env: { TRUSTED_PROXIES: '127.0.0.1' } });
const runs = 40;
/** One caller may call so often a minute. */
const callsPerCaller = 500;

let calls = 0;
let caller: ApiCaller | undefined;

/** Calls as whoever the operation is for; strangers come from everywhere, as one network may ask so often a minute. */
async function aCallOf({ needs }: Operation): Promise<ApiCaller['call']> {
  // An operator may do with an organization whatever is done with one.
  if (needs === 'an-operator' || organizationPermissions.some((one) => one === needs))
    return (await anOperator(service())).call;
  // What API keys do not: they would not come further than that.
  if (needs === 'token-issuers:write') {
    const email = `${randomUUID()}@example.com`;
    const owner = await aPersonSignedIn(service(), { email, tenant: 'shop', role: 'owner' });
    await addApp(owner);
    return owner.call;
  }
  if (needs === 'a-session')
    return (await aPersonSignedIn(service(), { email: `${randomUUID()}@example.com` })).call;
  const { call } = needs === 'no-credentials' ? { call: callerOf(service()) } : await aCaller();
  return (method, path, { headers, ...options } = {}) =>
    call(method, path, { ...options, headers: { ...headers, 'x-forwarded-for': anAddress() } });
}

let addresses = 0;
const anAddress = () => `10.1.${++addresses >> 8}.${addresses & 255}`;

async function aCaller(): Promise<ApiCaller> {
  if (!caller || calls++ % callsPerCaller === 0) caller = await anApiCaller(service(), { role: 'owner' });
  return caller;
}

const every = Object.entries<Operation>(api);
const schemaOf = (schema: z.ZodType): JsonSchema =>
  z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;

/** Ids of its own form, of things that may be there, and whatever else may stand in a path. */
const anyPathId = (name: string) =>
  fc.oneof(
    fc
      .stringMatching(/^[0-9a-f]{32}$/)
      .map((hex) => `${pathIdPrefixes[name as keyof typeof pathIdPrefixes]}_${hex}`),
    fc.constantFrom(
      ...hostileTexts.filter((text) => text !== '' && text.isWellFormed() && text.length < 2_000),
    ),
  );

const pathOf = (operation: Operation, tenantId: string, organizationId: string): fc.Arbitrary<string> => {
  const names = [...operation.path.matchAll(/\{(\w+)\}/g)]
    .map(([, name = '']) => name)
    .filter((name) => name !== 'tenantId' && name !== 'organizationId');
  return fc
    .record(Object.fromEntries(names.map((name) => [name, anyPathId(name)])))
    .map((ids) =>
      Object.entries(ids).reduce(
        (path, [name, id]) => path.replace(`{${name}}`, () => encodeURIComponent(id)),
        operation.path.replace('{tenantId}', tenantId).replace('{organizationId}', organizationId),
      ),
    );
};

/** As it comes back. */
const asKept = (text: string): string => text.toWellFormed().replaceAll('\u0000', '\ufffd');

/** A call as the schema has it, and now and then with something else in its place. */
const inputOf = (schema: z.ZodType | undefined): fc.Arbitrary<unknown> =>
  schema
    ? fc.oneof(
        { weight: 4, arbitrary: arbitraryOf(schemaOf(schema)) },
        { weight: 1, arbitrary: fc.jsonValue() },
      )
    : fc.constant(undefined);

const queryText = (query: unknown): string =>
  typeof query === 'object' && query !== null
    ? `?${Object.entries(query)
        .map(
          ([name, value]) =>
            `${encodeURIComponent(name.toWellFormed())}=${encodeURIComponent((typeof value === 'object' ? JSON.stringify(value) : String(value)).toWellFormed())}`,
        )
        .join('&')}`
    : '';

describe('whatever is asked is answered, and no fault of ours', () => {
  test.each(every)(
    '%s',
    async (_, operation) => {
      const { tenantId } = await aCaller();
      // One session for all of them: what ends it is answered with 401 from then on.
      const isByOne =
        ['a-session', 'an-operator', 'token-issuers:write'].includes(operation.needs) ||
        operation.path.includes('{organizationId}');
      const asked = isByOne ? await aCallOf(operation) : undefined;
      const organizationId = await organizationIdOf(service(), 'acme');
      await fc.assert(
        fc.asyncProperty(
          pathOf(operation, tenantId, organizationId),
          inputOf(operation.query),
          inputOf(operation.body),
          async (path, query, body) => {
            const call = asked ?? (await aCallOf(operation));
            const answer = await call(operation.method.toUpperCase(), `${path}${queryText(query)}`, {
              ...(operation.body && {
                body: JSON.stringify(body ?? null),
                headers: { 'content-type': 'application/json' },
              }),
            });
            expect(answer.status).toBeLessThan(500);
            // What a stranger guesses is counted: there it is an answer.
            if (operation.path.includes('{tenantId}')) expect(answer.status).not.toBe(429);
          },
        ),
        { numRuns: runs },
      );
    },
    120_000,
  );
});

describe('hostile texts are kept as they are, or refused', () => {
  // A body that is taken, and in each of its texts one hostile text after the other.
  const bodies: readonly [name: keyof typeof api, path: string, body: Record<string, unknown>][] = [
    ['createApiKey', '/api-keys', { name: 'A key', permissions: ['channels:read'] }],
    ['createRole', '/roles', { slug: 'a-role', name: 'A role', permissions: ['channels:read'] }],
    ['updateTenant', '', { name: 'Shop' }],
    ['sendMessage', '/messages', { channel: 'site', address: '@U1', text: 'Hi' }],
    ['replayDeadLetters', '/dead-letters/replay', { code: 'broken' }],
  ];

  test.each(bodies)(
    'in %s',
    async (name, path, body) => {
      const { method } = api[name];
      const answers = new Map<number, number>();
      for (const field of Object.keys(body).filter((key) => typeof body[key] === 'string')) {
        for (const text of hostileTexts) {
          const { own } = await aCaller();
          const answer = await own(method.toUpperCase(), path, { body: { ...body, [field]: text } });
          expect([field, text, answer.status < 500]).toEqual([field, text, true]);
          answers.set(answer.status, (answers.get(answer.status) ?? 0) + 1);
          const shown = answer.status < 300 && answer.body?.[field];
          if (typeof shown === 'string') expect(shown).toBe(asKept(text).trim());
        }
      }
      expect(answers.size).toBeGreaterThan(0);
    },
    120_000,
  );

  test('in what people write, and in what an agent is told', async () => {
    const visitor = await service().aVisitor();
    await visitor.answerTo(await visitor.send('Hi'));
    const { own } = await aCaller();
    const agent = (await own('GET', '/agents')).body.items[0];
    const said: string[] = [];
    for (const text of hostileTexts) {
      const { own: again } = await aCaller();
      const answer = await again('POST', `/conversations/${visitor.session.conversationId}/messages`, {
        body: { text },
      });
      expect([text, answer.status]).toEqual([text, text === '' ? 400 : 202]);
      if (answer.status === 202) said.push(asKept(text));
      const told = await again('PATCH', `/agents/${agent.id}`, { body: { instructions: text } });
      expect(told).toMatchObject({
        status: 200,
        body: { instructions: asKept(text) },
      });
    }
    const texts: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page = await own(
        'GET',
        `/conversations/${visitor.session.conversationId}/messages?limit=100${cursor && `&cursor=${cursor}`}`,
      );
      texts.push(
        ...page.body.items
          .filter(({ role }: { role: string }) => role === 'operator')
          .map(({ text }: { text: string }) => text),
      );
      cursor = page.body.nextCursor;
    }
    expect(texts.reverse()).toEqual(said);
  }, 120_000);
});
