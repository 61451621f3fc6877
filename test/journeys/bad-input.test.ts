import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { sharedService } from '../support/a-service.ts';
import { shopOrigin } from '../support/a-tenant.ts';
import type { Visitor } from '../support/a-visitor.ts';

/** Each refusal: its status and code, nothing written, one log line, and nothing in it of what was sent. */

const secretText = 'xoxb-0000000000-a-visitor-said-this';
const shared = sharedService({
  tenants: [{}, { slug: 'other', settings: { webchat: { textLengthMax: 10 } } }],
});

test('a session for a page that the channel does not know is refused', async () => {
  await expectRefusal(
    () => beginSession({ key: 'wk_shop' }, { origin: 'https://evil.example' }),
    403,
    'origin_not_allowed',
  );
});

test('what is said to a visitor, no page of another origin may read', async () => {
  const begun = await beginSession({ key: 'wk_shop' }, { origin: shopOrigin });
  const { token } = (await begun.json()) as { token: string };
  const answers = [begun, await history(token, { origin: shopOrigin }), await history(token)];
  const readers = ({ headers }: Response) => headers.get('access-control-allow-origin');
  expect(answers.map(readers)).toEqual([shopOrigin, shopOrigin, null]);
  expect(answers[1]?.headers.get('vary')).toBe('Origin');
  const refused = await history(token, { origin: 'https://evil.example' });
  expect([refused.status, readers(refused)]).toEqual([403, '*']);
});

test('a session without an origin is refused', async () => {
  await expectRefusal(() => beginSession({ key: 'wk_shop' }, {}), 403, 'origin_not_allowed');
});

test('a session under an unknown key is refused', async () => {
  await expectRefusal(() => beginSession({ key: 'wk_nobody' }, { origin: shopOrigin }), 404, 'unknown_key');
});

test.for([
  ['an unknown field', { key: 'wk_shop', admin: true }],
  ['a missing key', {}],
  ['a key that is no text', { key: 7 }],
])('a session with %s is refused', async ([, body]) => {
  await expectRefusal(() => beginSession(body as object, { origin: shopOrigin }), 400, 'invalid_body');
});

test('a forged visitor token is refused', async () => {
  await expectRefusal(
    () => beginSession({ key: 'wk_shop', visitorToken: 'eyJhbGciOiJub25lIn0.e30.' }, { origin: shopOrigin }),
    401,
    'visitor_token_invalid',
  );
});

test('a body that is not JSON is refused', async () => {
  const visitor = await shared().aVisitor();
  await expectRefusal(() => post(visitor, `{"id": "${secretText}`), 400, 'invalid_json');
});

test('a body that is larger than the channel takes is refused', async () => {
  const visitor = await shared().aVisitor();
  const large = JSON.stringify({ id: randomUUID(), text: secretText.repeat(3_000) });
  await expectRefusal(() => post(visitor, large), 413, 'body_too_large');
});

test('a text that is longer than the tenant takes is refused', async () => {
  const visitor = await shared().aVisitor({ key: 'wk_other' });
  await expectRefusal(() => visitor.post(secretText), 413, 'text_too_long', 'other');
});

test.for([
  ['no id', { text: secretText }],
  ['an id that is no UUID', { id: 'mine', text: secretText }],
  ['no text', { id: randomUUID() }],
  ['only white space', { id: randomUUID(), text: ' \n ' }],
  ['an unknown field', { id: randomUUID(), text: secretText, tenantId: randomUUID() }],
])('a message with %s is refused', async ([, body]) => {
  const visitor = await shared().aVisitor();
  await expectRefusal(() => post(visitor, JSON.stringify(body)), 400, 'invalid_body');
});

test('a message without a token is refused', async () => {
  const { url } = shared();
  await expectRefusal(() => fetch(`${url}/chat/v1/messages`, { method: 'POST' }), 401, 'token_missing');
});

test('a token with a changed signature is refused', async () => {
  const { token } = (await shared().aVisitor()).session;
  const forged = `${token.slice(0, -6)}${token.slice(-6) === 'AAAAAA' ? 'BBBBBB' : 'AAAAAA'}`;
  await expectRefusal(() => history(forged), 401, 'token_invalid');
});

test('a token without a signature is refused', async () => {
  const { token } = (await shared().aVisitor()).session;
  const [, claims] = token.split('.');
  const header = Buffer.from(JSON.stringify({ alg: 'none', typ: 'swarmgate-session+jwt' })).toString(
    'base64url',
  );
  await expectRefusal(() => history(`${header}.${claims}.`), 401, 'token_invalid');
});

test('a visitor token is no session token', async () => {
  const { visitorToken } = (await shared().aVisitor()).session;
  await expectRefusal(() => history(visitorToken), 401, 'token_invalid');
});

test('a token that has expired is refused', async () => {
  const { keyRing } = shared().app.storage;
  const [keyId = ''] = keyRing.keyIds;
  const key = keyRing.derive('web-chat-token', keyId) ?? new Uint8Array();
  const ids = { tid: randomUUID(), chn: randomUUID(), cnv: randomUUID() };
  const expired = await new SignJWT(ids)
    .setProtectedHeader({ alg: 'HS256', typ: 'swarmgate-session+jwt', kid: keyId })
    .setIssuer('swarmgate')
    .setSubject('visitor:1')
    .setExpirationTime(Math.floor(Date.now() / 1_000) - 60)
    .sign(key);
  await expectRefusal(() => history(expired), 401, 'token_expired');
});

test('a token in the hands of a page of another origin is refused', async () => {
  const { token } = (await shared().aVisitor()).session;
  await expectRefusal(() => history(token, { origin: 'https://evil.example' }), 403, 'origin_not_allowed');
});

test.for([['after=-1'], ['after=x'], ['limit=0'], ['before=1&before=2']])(
  'a transcript with ?%s is refused',
  async ([query]) => {
    const visitor = await shared().aVisitor();
    await expectRefusal(() => visitor.call(`/chat/v1/messages?${query}`), 400, 'invalid_query');
  },
);

test('an event stream from a place that is none is refused', async () => {
  const visitor = await shared().aVisitor();
  await expectRefusal(
    () => visitor.call('/chat/v1/events', { headers: { 'last-event-id': 'yesterday' } }),
    400,
    'invalid_last_event_id',
  );
});

test('an address that is none is refused', async () => {
  await expectRefusal(() => fetch(`${shared().url}/chat/v1/secrets`), 404, 'not_found');
});

test('characters that no database stores are replaced, not refused', async () => {
  const visitor = await shared().aVisitor();

  const answer = await visitor.answerTo(await visitor.send('nul \u0000, lone \ud800, sign \u{1F41D}'));

  expect(answer.text).toBe('nul \uFFFD, lone \uFFFD, sign \u{1F41D}');
});

function beginSession(body: object, headers: Record<string, string>): Promise<Response> {
  return fetch(`${shared().url}/chat/v1/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

function post(visitor: Visitor, body: string): Promise<Response> {
  return visitor.call('/chat/v1/messages', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
}

function history(token: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${shared().url}/chat/v1/messages`, {
    headers: { authorization: `Bearer ${token}`, ...headers },
  });
}

async function expectRefusal(
  call: () => Promise<Response>,
  status: number,
  code: string,
  tenant = 'shop',
): Promise<void> {
  const { logLines, rows } = shared();
  const rowsBefore = await rows(tenant);
  const linesBefore = logLines.length;

  const response = await call();

  expect(response.headers.get('content-type')).toContain('application/problem+json');
  const problem = (await response.json()) as Record<string, unknown>;
  expect(problem).toMatchObject({ status, code, requestId: response.headers.get('x-request-id') });
  expect(response.status).toBe(status);
  expect(await rows(tenant)).toEqual(rowsBefore);
  const lines = logLines.slice(linesBefore);
  expect(lines).toEqual([expect.objectContaining({ code, status, requestId: problem['requestId'] })]);
  expect(JSON.stringify([lines, problem])).not.toContain(secretText.slice(0, 15));
}
