import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { forgetWebhooks } from '#webhooks/start-forgetting.ts';
import { operateApiKeys } from '../../src/cli/api-keys.ts';
import { anOperator } from '../support/a-browser.ts';
import { aService, type ServiceOptions, sharedService } from '../support/a-service.ts';
import { planTenant } from '../support/a-tenant.ts';
import { aWebhookReceiver, subscribe } from '../support/a-webhook-receiver.ts';
import { type ApiCaller, anApiCaller } from '../support/an-api-caller.ts';
import { anInstallation } from '../support/an-installation.ts';
import { eventually } from '../support/eventually.ts';
import { hurryWebhooks } from '../support/hurry-webhooks.ts';
import { inTenantOf } from '../support/place-of.ts';

const shared = sharedService({ tenants: [], overrides: { allowedHosts: ['127.0.0.1'] } });
let tenants = 0;

/** A tenant of its own, whose operator has opened this machine to it; in a service of its own where it has to be another. */
async function aSender(options?: ServiceOptions) {
  const overrides = { allowedHosts: ['127.0.0.1'], ...options?.overrides };
  const service = options ? await aService({ tenants: [], ...options, overrides }) : shared();
  const slug = `shop-${++tenants}`;
  await service.app.apply(planTenant({ slug }), { dryRun: false });
  return {
    ...{ service, slug, admin: await anApiCaller(service, { tenant: slug }) },
    aVisitor: () => service.aVisitor({ key: `wk_${slug}` }),
    sql: (text: string) => inTenantOf(service, slug, (unit) => unit.sql(text)),
    hurry: () => hurryWebhooks(service, slug),
  };
}

const deliveriesOf = async (admin: ApiCaller, { id }: { id: string }) =>
  (await admin.own('GET', `/webhooks/${id}/deliveries`)).body.items;

const attemptsOf = async (admin: ApiCaller, webhook: { id: string }, eventId: string) =>
  (await admin.own('GET', `/webhooks/${webhook.id}/deliveries/${eventId}/attempts`)).body.items;

const ping = async (admin: ApiCaller, { id }: { id: string }): Promise<string> => {
  const { status, body } = await admin.own('POST', `/webhooks/${id}/test`);
  expect(status).toBe(202);
  return body.eventId;
};

/** Waits until an event has so many attempts at it, and answers its delivery. */
const attempted = (admin: ApiCaller, webhook: { id: string }, eventId: string, attempts: number) =>
  eventually(async () => {
    const delivery = (await deliveriesOf(admin, webhook)).find(
      (one: { eventId: string }) => one.eventId === eventId,
    );
    expect(delivery).toMatchObject({ attempts });
    if (delivery.state === 'pending') expect(delivery.nextAttemptAt).not.toBeNull();
    expect(await attemptsOf(admin, webhook, eventId)).toHaveLength(attempts);
    return delivery;
  });

const good = (secret: string, { body, headers }: { body: string; headers: Record<string, string> }) => {
  try {
    return new Webhook(secret).verify(body, headers) !== undefined;
  } catch {
    return false;
  }
};

describe('what is sent', () => {
  test('is signed by the secret before as well, until the overlap is over', async () => {
    const receiver = await aWebhookReceiver();
    const { admin, sql } = await aSender();
    const webhook = await subscribe(admin, receiver);
    const rotated = await admin.own('POST', `/webhooks/${webhook.id}/rotate`, {
      body: { overlapSeconds: 3_600 },
      headers: { 'if-match': '"1"' },
    });
    expect(rotated).toMatchObject({ status: 200, body: { previousSecretUntil: expect.any(String) } });
    const { secret } = rotated.body;
    expect(secret).not.toBe(webhook.secret);

    await ping(admin, webhook);
    const [both] = await eventually(() => {
      expect(receiver.received).toHaveLength(1);
      return receiver.received;
    });
    expect(both && [good(webhook.secret, both), good(secret, both)]).toEqual([true, true]);
    expect(both?.signature.split(' ')).toHaveLength(2);

    await sql('UPDATE swarmgate.webhook_endpoints SET previous_until = clock_timestamp()');
    receiver.secrets.push(secret);
    await ping(admin, webhook);
    const [, one] = await eventually(() => {
      expect(receiver.received).toHaveLength(2);
      return receiver.received;
    });
    expect(one && [good(webhook.secret, one), good(secret, one)]).toEqual([false, true]);
    expect((await admin.own('GET', `/webhooks/${webhook.id}`)).body.previousSecretUntil).toBeNull();
    expect(receiver.violations).toEqual([]);
  });

  test('is tried ten times under one id, each later than the one before, and can be replayed then', async () => {
    const receiver = await aWebhookReceiver();
    const { admin, hurry } = await aSender();
    const webhook = await subscribe(admin, receiver);
    receiver.answers((response) => void response.writeHead(500).end(`No: ${'n'.repeat(5_000)}`));
    const eventId = await ping(admin, webhook);
    const waits: number[] = [];
    for (let attempts = 1; attempts <= 10; attempts += 1) {
      const delivery = await attempted(admin, webhook, eventId, attempts);
      expect(delivery.state).toBe(attempts < 10 ? 'pending' : 'failed');
      if (attempts === 10) break;
      const { startedAt, durationMs } = (await attemptsOf(admin, webhook, eventId)).at(-1);
      waits.push(Date.parse(delivery.nextAttemptAt) - Date.parse(startedAt) - durationMs);
      await hurry();
    }
    const schedule = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
    expect(waits.map((wait, index) => Math.round((wait / 1_000 / (schedule[index] ?? 1)) * 5) / 5)).toEqual(
      schedule.map(() => 1),
    );
    expect(new Set(receiver.received.map(({ id }) => id))).toEqual(new Set([eventId]));
    const attempts = await attemptsOf(admin, webhook, eventId);
    expect(attempts).toHaveLength(10);
    for (const attempt of attempts)
      expect(attempt).toMatchObject({
        ...{ outcome: 'failed', status: 500, errorCode: 'answered_error' },
        answer: `No: ${'n'.repeat(1_020)}`,
      });
    expect((await admin.own('GET', `/webhooks/${webhook.id}`)).body.failingSince).not.toBeNull();

    receiver.answers(200);
    const path = `/webhooks/${webhook.id}/deliveries/${eventId}/replay`;
    expect(await admin.own('POST', path)).toMatchObject({ status: 202 });
    expect(await attempted(admin, webhook, eventId, 11)).toMatchObject({ state: 'delivered', status: 200 });
    expect(receiver.received.at(-1)?.id).toBe(eventId);
    expect(receiver.violations).toEqual([]);
    const shown = (await admin.own('GET', `/webhooks/${webhook.id}`)).body;
    expect(shown).toMatchObject({ status: 'enabled', failingSince: null });
  });

  test('is not sent where a redirect leads', async () => {
    const [receiver, elsewhere] = [await aWebhookReceiver(), await aWebhookReceiver()];
    const { admin } = await aSender();
    const webhook = await subscribe(admin, receiver);
    receiver.answers((response) => void response.writeHead(308, { location: elsewhere.url }).end());
    const eventId = await ping(admin, webhook);
    await attempted(admin, webhook, eventId, 1);
    expect(await attemptsOf(admin, webhook, eventId)).toMatchObject([
      { outcome: 'failed', status: 308, errorCode: 'redirected' },
    ]);
    expect([elsewhere.received, elsewhere.violations]).toEqual([[], []]);
  });

  test('rests as long as the receiver wants, with everything for it', async () => {
    const receiver = await aWebhookReceiver();
    const { admin, sql } = await aSender();
    const webhook = await subscribe(admin, receiver);
    receiver.answers((response) => void response.writeHead(503, { 'retry-after': '120' }).end());
    const first = await ping(admin, webhook);
    const { nextAttemptAt } = await attempted(admin, webhook, first, 1);
    expect(Date.parse(nextAttemptAt)).toBeGreaterThan(Date.now() + 100_000);

    receiver.answers(200);
    const second = await ping(admin, webhook);
    // Another one shows that there was time to send it.
    const other = await subscribe(admin, receiver);
    await attempted(admin, other, await ping(admin, other), 1);
    expect(receiver.received.map(({ id }) => id)).not.toContain(second);
    await sql('UPDATE swarmgate.webhook_endpoints SET not_before = clock_timestamp()');
    await attempted(admin, webhook, second, 1);
  });

  test('has the text of messages where it is wanted, as it is then, and never else', async () => {
    const [plain, full] = [await aWebhookReceiver(), await aWebhookReceiver()];
    const { admin, aVisitor, sql, hurry } = await aSender();
    await subscribe(admin, plain);
    await subscribe(admin, full, { includeText: true });
    const visitor = await aVisitor();
    await visitor.answerTo(await visitor.send('The word is heron.'));
    await eventually(() => {
      expect(full.ofType('message.answered')).toHaveLength(1);
      expect(plain.ofType('message.answered')).toHaveLength(1);
    });
    expect(full.ofType('message.received')[0]?.payload.data['text']).toBe('The word is heron.');
    expect(full.ofType('message.answered')[0]?.payload.data['text']).toMatch(/heron/);
    expect(JSON.stringify(plain.received)).not.toContain('heron');
    const kept = await sql('SELECT e.*, a.* FROM swarmgate.webhook_events e, swarmgate.webhook_attempts a');
    expect(JSON.stringify(kept)).not.toContain('heron');

    // What is gone by then is gone.
    full.answers(500);
    await visitor.send(`long ${'x'.repeat(7_000)}`);
    await eventually(() => expect(full.ofType('message.received')).toHaveLength(2));
    await sql(`UPDATE swarmgate.messages SET state = 'deleted', text = '' WHERE text LIKE 'long %'`);
    full.answers(200);
    await hurry();
    await eventually(() => expect(full.ofType('message.received').length).toBeGreaterThan(2));
    expect(full.ofType('message.received')[1]?.payload.data['text']).toMatch(/^long x+$/);
    expect(full.ofType('message.received').at(-1)?.payload.data).not.toHaveProperty('text');
    expect([plain.violations, full.violations]).toEqual([[], []]);
  });

  test('is sent once, however many processes send', async () => {
    const receiver = await aWebhookReceiver();
    const installation = await anInstallation();
    const { admin, aVisitor } = await aSender({ installation });
    const overrides = { allowedHosts: [receiver.host] };
    await Promise.all([1, 2].map(() => aService({ installation, tenants: [], overrides })));
    const webhook = await subscribe(admin, receiver);
    const visitors = await Promise.all(Array.from({ length: 10 }, () => aVisitor()));
    for (let n = 0; n < 3; n += 1)
      await Promise.all(visitors.map(async (visitor) => visitor.answerTo(await visitor.send(`${n}`))));
    await eventually(() => expect(receiver.received).toHaveLength(10 + 60));
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(70);
    expect(
      (await deliveriesOf(admin, webhook)).every(({ attempts }: { attempts: number }) => attempts === 1),
    );
    expect(receiver.violations).toEqual([]);
  });
});

describe('a receiver', () => {
  test('that is gone is told nothing more until somebody lets it go on', async () => {
    const receiver = await aWebhookReceiver();
    const { admin, aVisitor } = await aSender();
    const webhook = await subscribe(admin, receiver);
    receiver.answers(410);
    const gone = await ping(admin, webhook);
    await eventually(async () =>
      expect((await admin.own('GET', `/webhooks/${webhook.id}`)).body).toMatchObject({
        ...{ status: 'disabled', disabledReason: 'gone' },
      }),
    );
    expect(await deliveriesOf(admin, webhook)).toMatchObject([
      { eventId: gone, state: 'failed', status: 410, errorCode: 'answered_gone' },
    ]);
    const trail = await admin.own('GET', '/audit-events?action=webhook.disabled');
    expect(trail.body.items).toMatchObject([{ actor: { kind: 'system' }, resource: { id: webhook.id } }]);
    expect(await admin.own('POST', `/webhooks/${webhook.id}/test`)).toMatchObject({ status: 409 });
    const visitor = await aVisitor();
    await visitor.answerTo(await visitor.send('Is anybody there?'));
    expect(await deliveriesOf(admin, webhook)).toHaveLength(1);

    receiver.answers(200);
    const path = `/webhooks/${webhook.id}`;
    await admin.own('PATCH', path, { body: { status: 'enabled' } });
    const replay = await admin.own('POST', `${path}/replay`, { body: { since: new Date(0).toISOString() } });
    expect(replay).toMatchObject({ status: 202, body: { replayed: 1, hasMore: false } });
    expect(await attempted(admin, webhook, gone, 2)).toMatchObject({ state: 'delivered' });
  });

  test('that has taken nothing for days is stopped, and what waits for it can be replayed', async () => {
    const receiver = await aWebhookReceiver();
    const { admin, sql, hurry } = await aSender();
    const webhook = await subscribe(admin, receiver);
    receiver.answers(500);
    const [first, second] = [await ping(admin, webhook), await ping(admin, webhook)];
    await attempted(admin, webhook, first, 1);
    await attempted(admin, webhook, second, 1);
    await sql(`UPDATE swarmgate.webhook_endpoints SET failing_since = now() - interval '6 days'`);
    await hurry();
    await eventually(async () =>
      expect((await admin.own('GET', `/webhooks/${webhook.id}`)).body).toMatchObject({
        ...{ status: 'disabled', disabledReason: 'failing' },
      }),
    );
    expect(await deliveriesOf(admin, webhook)).toMatchObject([{ state: 'failed' }, { state: 'failed' }]);
    receiver.answers(200);
    await admin.own('PATCH', `/webhooks/${webhook.id}`, { body: { status: 'enabled' } });
    const since = new Date(Date.now() - 3_600_000).toISOString();
    expect(await admin.own('POST', `/webhooks/${webhook.id}/replay`, { body: { since } })).toMatchObject({
      body: { replayed: 2 },
    });
    await eventually(async () =>
      expect(await deliveriesOf(admin, webhook)).toMatchObject([
        { state: 'delivered' },
        { state: 'delivered' },
      ]),
    );
  });

  test('that is slow delays nobody else, of its own tenant or of another', async () => {
    const [slow, quick, others] = [
      await aWebhookReceiver(),
      await aWebhookReceiver(),
      await aWebhookReceiver(),
    ];
    const [{ admin }, { admin: stranger }] = [await aSender(), await aSender()];
    let open = 0;
    let most = 0;
    slow.answers((response) => {
      open += 1;
      most = Math.max(most, open);
      response.on('close', () => (open -= 1));
    });
    const lame = await subscribe(admin, slow);
    await Promise.all(Array.from({ length: 30 }, () => ping(admin, lame)));
    await eventually(() => expect(open).toBe(4));

    const webhook = await subscribe(admin, quick);
    const theirs = await subscribe(stranger, others);
    await attempted(admin, webhook, await ping(admin, webhook), 1);
    await attempted(stranger, theirs, await ping(stranger, theirs), 1);
    // Nobody has given the slow one up for that, nor asked it for more.
    expect([open, most]).toEqual([4, 4]);
  });

  test('that is dead, and with it many more of its tenant’s, leave room for the one that is not', async () => {
    const [dead, alive] = [await aWebhookReceiver(), await aWebhookReceiver()];
    const { admin, sql, hurry } = await aSender({ overrides: { webhooks: { timeoutMs: 60_000 } } });
    let open = 0;
    dead.answers((response) => {
      open += 1;
      response.on('close', () => (open -= 1));
    });
    const lame = [];
    for (let n = 0; n < 12; n += 1) lame.push(await subscribe(admin, dead));
    await sql('UPDATE swarmgate.webhook_endpoints SET failing_since = now()');
    for (const webhook of lame) await ping(admin, webhook);
    await hurry();
    await eventually(() => expect(open).toBe(5));
    const webhook = await subscribe(admin, alive);
    await attempted(admin, webhook, await ping(admin, webhook), 1);
    expect(open).toBe(5);
  });

  test('that does not answer in time has failed, and is then asked for one at a time', async () => {
    const receiver = await aWebhookReceiver();
    const { admin, hurry } = await aSender({ overrides: { webhooks: { timeoutMs: 300 } } });
    const webhook = await subscribe(admin, receiver);
    let open = 0;
    let most = 0;
    receiver.answers((response) => {
      open += 1;
      most = Math.max(most, open);
      response.on('close', () => (open -= 1));
    });
    const eventId = await ping(admin, webhook);
    await attempted(admin, webhook, eventId, 1);
    expect(await attemptsOf(admin, webhook, eventId)).toMatchObject([
      { outcome: 'failed', status: null, errorCode: 'timed_out' },
    ]);
    for (let n = 0; n < 5; n += 1) await ping(admin, webhook);
    await hurry();
    await eventually(async () => {
      const deliveries: { attempts: number }[] = await deliveriesOf(admin, webhook);
      expect(deliveries.every(({ attempts }) => attempts > 0)).toBe(true);
    });
    expect(most).toBe(1);
  });

  test('of a suspended tenant is sent nothing, and everything once it goes on', async () => {
    const receiver = await aWebhookReceiver();
    const { service, slug, admin, sql } = await aSender();
    const webhook = await subscribe(admin, receiver);
    await attempted(admin, webhook, await ping(admin, webhook), 1);

    const operator = await anOperator(service);
    const path = `/tenants/${admin.tenantId}`;
    await operator.call('POST', `${path}/suspend`);
    await operator.call('POST', `${path}/suspend`);
    await operateApiKeys(service.app.storage, { act: 'create', tenant: slug, name: 'Meanwhile' });
    const waiting = `SELECT FROM swarmgate.webhook_deliveries WHERE state = 'pending' AND claim_number = 0`;
    expect(await sql(waiting)).toHaveLength(2);
    // Others show that there was time for it.
    const [other, { admin: busy }] = [await aWebhookReceiver(), await aSender()];
    const theirs = await subscribe(busy, other);
    for (let n = 0; n < 3; n += 1) await attempted(busy, theirs, await ping(busy, theirs), 1);
    expect(await sql(waiting)).toHaveLength(2);
    expect(receiver.received).toHaveLength(1);

    await operator.call('POST', `${path}/resume`);
    await eventually(() => expect(receiver.received).toHaveLength(4));
    expect(
      receiver.received
        .slice(1)
        .map(({ payload }) => payload.type)
        .sort(),
    ).toEqual(['api_key.created', 'tenant.resumed', 'tenant.suspended']);
    expect(receiver.violations).toEqual([]);
  });
});

describe('an address that leads inside', () => {
  test('is refused each time that it is called, since a name may lead elsewhere by then', async () => {
    const inside = await aWebhookReceiver();
    const looks: string[] = [];
    const { admin, hurry } = await aSender({
      overrides: {
        webhooks: {
          lookup: (host, _options, done) => {
            looks.push(host);
            done(null, [{ address: '127.0.0.1', family: 4 }]);
          },
        },
      },
    });
    const url = `https://hooks.example:${new URL(inside.url).port}/`;
    const webhook = await subscribe(admin, inside, { url });
    const eventId = await ping(admin, webhook);
    await attempted(admin, webhook, eventId, 1);
    await hurry();
    await attempted(admin, webhook, eventId, 2);
    const failed = { outcome: 'failed', errorCode: 'address_forbidden', status: null, answer: null };
    expect(await attemptsOf(admin, webhook, eventId)).toMatchObject([failed, failed]);
    expect(looks).toEqual(['hooks.example', 'hooks.example']);
    expect([inside.received, inside.violations]).toEqual([[], []]);
  });
});

describe('what is kept', () => {
  test('is forgotten after its time, except what waits', async () => {
    const receiver = await aWebhookReceiver();
    const { service, admin } = await aSender();
    const webhook = await subscribe(admin, receiver);
    const sent = await ping(admin, webhook);
    await attempted(admin, webhook, sent, 1);
    receiver.answers(500);
    const waiting = await ping(admin, webhook);
    await attempted(admin, webhook, waiting, 1);
    await forgetWebhooks(service.app.storage.scopes, new Date(Date.now() - 60_000));
    expect(await deliveriesOf(admin, webhook)).toHaveLength(2);
    await forgetWebhooks(service.app.storage.scopes, new Date(Date.now() + 60_000));
    expect(await deliveriesOf(admin, webhook)).toMatchObject([{ eventId: waiting }]);
    expect((await admin.own('GET', `/webhooks/${webhook.id}/deliveries/${sent}/attempts`)).status).toBe(404);
  });

  test('holds no secret that anybody could read, nor do the logs', async () => {
    const receiver = await aWebhookReceiver();
    const { service, admin, aVisitor, sql, hurry } = await aSender();
    const webhook = await subscribe(admin, receiver, { includeText: true });
    receiver.answers((response) => void response.writeHead(500).end('token=receivers-own-secret'));
    const visitor = await aVisitor();
    await visitor.answerTo(await visitor.send('A message of nobody’s business'));
    await eventually(async () => expect(await deliveriesOf(admin, webhook)).toHaveLength(3));
    const rotated = await admin.own('POST', `/webhooks/${webhook.id}/rotate`, { body: {} });
    await hurry();
    await eventually(() => expect(receiver.received.length).toBeGreaterThan(3));
    const rows = JSON.stringify([
      await sql('SELECT * FROM swarmgate.webhook_endpoints'),
      await sql('SELECT * FROM swarmgate.audit_events'),
    ]);
    for (const secret of [webhook.secret, rotated.body.secret]) {
      expect(JSON.stringify(service.logLines)).not.toContain(secret.slice(6));
      expect(rows).not.toContain(secret.slice(6));
    }
    const logs = JSON.stringify(service.logLines);
    for (const text of ['receivers-own-secret', 'nobody’s business', receiver.url])
      expect(logs).not.toContain(text);
    for (const path of ['/webhooks', `/webhooks/${webhook.id}`])
      expect(JSON.stringify((await admin.own('GET', path)).body)).not.toContain('whsec_');
  });
});
