import { randomBytes, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Agent } from '#agents/agent.ts';
import { newId, toWire, type Uuid } from '#domain/ids.ts';
import { createVisitorTokens, type Visitor as TokenVisitor } from '#gateways/webchat/tokens.ts';
import { createKeyRing } from '#kernel/key-ring.ts';
import type { ApplyPlan } from '#tenancy/apply/apply-plan.ts';
import { sharedService } from '../support/a-service.ts';
import { shopOrigin } from '../support/a-tenant.ts';
import type { Visitor } from '../support/a-visitor.ts';
import { eventually } from '../support/eventually.ts';

/**
 * What a visitor of one tenant gets by naming what is another's: exactly what an id that does not exist gets. The other
 * tenant's texts, secrets and names carry a canary, which no answer, log line or metric of ours may hold.
 */

const canary = 'parakeet';
const otherOrigin = 'https://other.example';
const ourSecret = 'the identity secret of the shop, 32 characters or more';
const theirSecret = `the identity secret of the ${canary}, 32 characters or more`;

// Turns of messages that say "wait" stay at work, so that there is something to cancel.
const go = Promise.withResolvers<void>();
const waitingAgents = (agents: Agent): Agent => ({
  async *reply(turn, signal) {
    if (turn.message.text.includes('wait')) await go.promise;
    yield* agents.reply(turn, signal);
  },
});

const shared = sharedService({
  tenants: [{ identity: { secret: ourSecret, required: false } }],
  overrides: { wrapAgents: waitingAgents },
});

// Runs before the service ends, which waits for what is at work.
afterAll(() => go.resolve());

const others: ApplyPlan = {
  organizations: [
    {
      slug: canary,
      name: canary,
      plan: 'free',
      tenants: [
        {
          slug: canary,
          name: canary,
          region: 'local',
          settings: { webchat: { messagesPerMinute: 1_000, sessionsPerMinute: 10_000 } },
          channels: [
            {
              slug: 'site',
              platform: 'webchat',
              key: `wk_${canary}`,
              origins: [otherOrigin],
              greeting: canary,
              identity: { secret: theirSecret, required: false },
            },
          ],
          agents: [
            { slug: 'default', model: 'builtin/echo', name: canary, instructions: canary, settings: {} },
          ],
          knowledge: [
            { slug: 'handbook', title: canary, content: `# ${canary}\n\nAll about the ${canary}.` },
          ],
        },
      ],
    },
  ],
};

/** What the other tenant has: ids as its visitor and its database know them. */
type Theirs = {
  visitor: Visitor;
  clientId: string;
  sequence: number;
  ids: Record<'conversation' | 'message' | 'turn' | 'delivery' | 'tenant' | 'channel' | 'agent', Uuid>;
};

let theirs: Theirs;
let ours: Visitor;
/** Everything that was answered to us. */
const heard: string[] = [];

beforeAll(async () => {
  const { app } = shared();
  await app.apply(others, { dryRun: false });
  const visitor = await shared().aVisitor({ key: `wk_${canary}`, origin: otherOrigin });
  const first = await visitor.send(`Our secret is ${canary}`);
  await visitor.answerTo(first);
  const clientId = randomUUID();
  const { sequence } = await visitor.send(`Please wait, ${canary}`, clientId);
  const { messages, turns, deliveries } = await eventually(async () => {
    const rows = await shared().rows(canary);
    expect(rows.turns.at(-1)?.state).toBe('running');
    return rows;
  });
  const [channel] = await app.storage.scopes.inPlatform((unit) =>
    unit.sql<{ tenant_id: Uuid; channel_id: Uuid }>(
      'SELECT tenant_id, channel_id FROM directory.external_keys WHERE key = $1',
      [`wk_${canary}`],
    ),
  );
  const id = (text: string | undefined) => {
    if (text === undefined) throw new Error('The other tenant has nothing of the kind.');
    return text as Uuid;
  };
  const tenant = id(channel?.tenant_id);
  const [agent] = await app.storage.scopes.inTenant(tenant, (unit) =>
    unit.sql<{ id: Uuid }>('SELECT id FROM swarmgate.agents'),
  );
  theirs = {
    visitor,
    clientId,
    sequence,
    ids: {
      conversation: id(messages[0]?.conversation_id),
      message: id(messages[0]?.id),
      turn: id(turns.at(-1)?.id),
      delivery: id(deliveries[0]?.id),
      tenant,
      channel: id(channel?.channel_id),
      agent: id(agent?.id),
    },
  };
  ours = await shared().aVisitor();
  const answer = await ours.answerTo(await ours.send('Hello'));
  expect(answer.text).toBe('Hello');
});

type Heard = { status: number; headers: Record<string, string>; body: string };

/** An answer without what differs between any two: the time, the request's id, and the connection's own. */
async function hear(response: Response): Promise<Heard> {
  const text = await response.text();
  heard.push(JSON.stringify([...response.headers]), text);
  const headers = Object.fromEntries(response.headers);
  for (const name of ['date', 'x-request-id', 'etag', 'content-length']) delete headers[name];
  return { status: response.status, headers, body: text.replace(/"requestId":"[^"]*"/, '') };
}

describe('a turn', () => {
  const cancel = async (id: string) => hear(await ours.cancel(id));

  test('of another tenant cannot be told from one that does not exist, by any id', async () => {
    const nobody = await cancel(toWire('turn', newId()));
    expect(nobody.status).toBe(404);
    for (const id of Object.values(theirs.ids)) {
      expect(await cancel(toWire('turn', id))).toEqual(nobody);
      expect(await cancel(id)).toEqual(nobody);
    }
  });

  test('of another visitor of the same tenant cannot either', async () => {
    const nobody = await cancel(toWire('turn', newId()));
    const neighbour = await shared().aVisitor();
    await neighbour.send('Please wait');
    const turn = await eventually(async () => {
      const { turns } = await shared().rows();
      const running = turns.find(({ state }) => state === 'running');
      expect(running).toBeDefined();
      return running;
    });
    expect(await cancel(toWire('turn', turn?.id ?? ''))).toEqual(nobody);
  });

  test('goes on, whoever else has tried to stop it', async () => {
    const rows = await shared().rows(canary);
    expect(rows.turns.at(-1)).toMatchObject({ id: theirs.ids.turn, state: 'running' });
  });
});

describe('the transcript', () => {
  const page = async (query: string) => hear(await ours.call(`/chat/v1/messages${query}`));

  test('is one’s own, whatever is asked for', async () => {
    const own = await page('');
    expect(own.status).toBe(200);
    expect(own.body).toContain('Hello');
    const { conversation, tenant, channel } = theirs.ids;
    for (const query of [
      `?conversationId=${toWire('conversation', conversation)}`,
      `?conversation_id=${conversation}`,
      `?tenantId=${tenant}&channelId=${channel}`,
    ])
      expect(await page(query)).toEqual(own);
    for (let sequence = 0; sequence <= theirs.sequence + 1; sequence++) {
      const { body } = await page(`?after=${sequence}&limit=200`);
      const { messages } = JSON.parse(body) as { messages: { text: string }[] };
      for (const { text } of messages) expect(text).toBe('Hello');
    }
  });

  test('is one’s own, whatever headers say', async () => {
    const own = await page('');
    const headers = {
      'x-tenant-id': theirs.ids.tenant,
      'x-conversation-id': theirs.ids.conversation,
      'x-forwarded-host': 'other.example',
      cookie: `token=${theirs.visitor.session.token}`,
    };
    expect(await hear(await ours.call('/chat/v1/messages', { headers }))).toEqual(own);
  });
});

describe('a message', () => {
  test('with the id of another tenant’s message is a message of one’s own', async () => {
    const before = await theirs.visitor.history();
    const response = await ours.post('Hello', theirs.clientId);
    expect(response.status).toBe(202);
    const { id } = JSON.parse((await hear(response)).body) as { id: string };
    expect(before.map((message) => message.id)).not.toContain(id);
    await ours.answerTo({ id });
    expect(await theirs.visitor.history()).toEqual(before);
  });

  test.each(['conversationId', 'tenantId', 'channelId', 'participantId'])(
    'does not say its %s',
    async (name) => {
      const response = await ours.call('/chat/v1/messages', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ id: randomUUID(), text: 'Hello', [name]: theirs.ids.conversation }),
      });
      expect(await hear(response)).toMatchObject({ status: 400 });
    },
  );
});

describe('the event stream', () => {
  test('has what happens in one’s own conversation, from whatever event on', async () => {
    const readers = await Promise.all(
      [undefined, '0', String(theirs.sequence), '999999999999999'].map((lastEventId) =>
        ours.listen(lastEventId),
      ),
    );
    await theirs.visitor.send(`Another ${canary}`);
    const sent = await ours.send('Hello');
    await ours.answerTo(sent);
    await eventually(() =>
      expect(readers[0]?.messages().map(({ text }) => text)).toEqual(['Hello', 'Hello']),
    );
    for (const { events } of readers) heard.push(JSON.stringify(events));
    expect(heard.join()).not.toContain(canary);
  });
});

describe('a session', () => {
  const begin = async (body: object, origin = otherOrigin) =>
    hear(
      await fetch(`${shared().url}/chat/v1/sessions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin },
        body: JSON.stringify(body),
      }),
    );
  const signed = (secret: string, sub: string) =>
    new SignJWT({ sub, exp: Math.floor(Date.now() / 1_000) + 600 })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(secret));

  test('under another tenant’s key needs a page of theirs', async () => {
    expect(await begin({ key: `wk_${canary}` }, shopOrigin)).toMatchObject({ status: 403 });
  });

  test('begun with a visitor token of another tenant is a stranger’s', async () => {
    const stranger = await shared().aVisitor({ visitorToken: theirs.visitor.session.visitorToken });
    expect(stranger.session.conversationId).not.toBe(theirs.visitor.session.conversationId);
    expect(await stranger.history()).toEqual([]);
  });

  test('is not begun with a session token, nor spoken in with a visitor token', async () => {
    expect(
      await begin({ key: 'wk_shop', visitorToken: theirs.visitor.session.token }, shopOrigin),
    ).toMatchObject({
      status: 401,
    });
    const headers = { authorization: `Bearer ${theirs.visitor.session.visitorToken}` };
    expect(await hear(await fetch(`${shared().url}/chat/v1/messages`, { headers }))).toMatchObject({
      status: 401,
    });
  });

  test('is not vouched for by another tenant’s secret', async () => {
    expect(
      await begin({ key: 'wk_shop', identity: await signed(theirSecret, 'ann') }, shopOrigin),
    ).toMatchObject({
      status: 401,
    });
  });

  test('of a person who has the same name at another tenant is another one', async () => {
    const there = await shared().aVisitor({
      key: `wk_${canary}`,
      origin: otherOrigin,
      identity: await signed(theirSecret, 'ann'),
    });
    await there.answerTo(await there.send(`I am Ann, the ${canary}`));
    const here = await shared().aVisitor({ identity: await signed(ourSecret, 'ann') });
    expect(here.session.conversationId).not.toBe(there.session.conversationId);
    expect(await here.history()).toEqual([]);
  });

  test('does not become a vouched-for person’s by an anonymous one’s own words', async () => {
    const claims = { key: 'wk_shop', profile: { name: 'Ann', sub: 'ann', verified: true } };
    expect(await begin(claims, shopOrigin)).toMatchObject({ status: 400 });
  });

  test('goes on from a page of its own tenant only', async () => {
    const headers = { origin: otherOrigin };
    expect(await hear(await ours.call('/chat/v1/messages', { headers }))).toMatchObject({ status: 403 });
  });
});

describe('a token', () => {
  const visitorOf = (more: Partial<TokenVisitor> = {}): TokenVisitor => ({
    tenantId: theirs.ids.tenant,
    channelId: theirs.ids.channel,
    conversationId: theirs.ids.conversation,
    externalId: 'visitor:1',
    verified: false,
    profile: {},
    ...more,
  });
  const ask = async (token: string) =>
    hear(await fetch(`${shared().url}/chat/v1/messages`, { headers: { authorization: `Bearer ${token}` } }));

  test('signed by anybody else opens nothing', async () => {
    const id = shared().installation.env.MASTER_KEYS?.split(':')[0] ?? 'local-1';
    const forger = createVisitorTokens(createKeyRing([{ id, bytes: randomBytes(32) }]));
    const forged = await ask((await forger.sign('session', visitorOf())).token);
    const nonsense = await ask('nonsense');
    expect(forged.status).toBe(401);
    expect(forged).toEqual(nonsense);
  });

  test('of ours with another’s ids pasted in opens nothing', async () => {
    const [header, , signature] = ours.session.token.split('.');
    const [, claims] = theirs.visitor.session.token.split('.');
    expect(await ask(`${header}.${claims}.${signature}`)).toEqual(await ask('nonsense'));
  });

  test('that named a channel under the wrong tenant would open nothing, were it ours', async () => {
    const { scopes, keyRing } = shared().app.storage;
    const [shop] = await scopes.inPlatform((unit) =>
      unit.sql<{ id: Uuid }>(`SELECT id FROM directory.tenants WHERE slug = 'shop'`),
    );
    const mixed = visitorOf(shop && { tenantId: shop.id });
    const { token } = await createVisitorTokens(keyRing).sign('session', mixed);
    expect(mixed.tenantId).not.toBe(theirs.ids.tenant);
    expect(await ask(token)).toMatchObject({ status: 401 });
  });
});

test('nothing of the other tenant was answered to us, logged, or counted', async () => {
  const { url, logLines } = shared();
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toContain('swarmgate_');
  const ids = Object.values(theirs.ids);
  const wire = ids.map((id) => id.replaceAll('-', ''));
  expect(heard.length).toBeGreaterThan(50);
  for (const secret of [canary, ...ids, ...wire]) expect(heard.join('\n')).not.toContain(secret);
  for (const secret of [canary, ...ids, ...wire]) expect(metrics).not.toContain(secret);
  // The log belongs to the operator and names ids, but no text, no name and no secret of anybody.
  expect(JSON.stringify(logLines)).not.toContain(canary);
  expect(JSON.stringify(logLines)).not.toContain(ours.session.token);
});
