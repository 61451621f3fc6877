import { describe, expect, test } from 'vitest';
import { messageRequest, sessionRequest } from './web-chat.ts';

const id = '0198c0de-0000-4000-8000-000000000001';

describe('a message', () => {
  test.each([
    { id, text: 'hello' },
    { id: id.toUpperCase(), text: ' ' },
  ])('may be %j', (body) => {
    expect(messageRequest.safeParse(body).success).toBe(true);
  });

  test.each([
    {},
    { id },
    { text: 'hello' },
    { id, text: '' },
    { id, text: 5 },
    { id, text: ['hello'] },
    { id: '1', text: 'hello' },
    { id: `${id}0`, text: 'hello' },
    { id: `${id}\n`, text: 'hello' },
    { id, text: 'hello', conversationId: 'cnv_1' },
    { id, text: 'hello', role: 'agent' },
    [],
    null,
    'hello',
  ])('is not %j', (body) => {
    expect(messageRequest.safeParse(body).success).toBe(false);
  });
});

describe('a session', () => {
  test.each([
    {},
    { key: 'wk_demo' },
    // On a tenant's own host there is one web chat.
    {},
    { key: 'wk_demo', visitorToken: 't', identity: 'j', profile: { name: 'Ann' } },
  ])('may be %j', (body) => expect(sessionRequest.safeParse(body).success).toBe(true));

  test.each([
    { key: '' },
    { key: 'x'.repeat(201) },
    { key: 'wk_demo', visitorToken: 'x'.repeat(4_097) },
    { key: 'wk_demo', identity: 'x'.repeat(8_193) },
    { key: 'wk_demo', profile: { name: 'x'.repeat(201) } },
    { key: 'wk_demo', profile: { verified: true } },
    { key: 'wk_demo', tenantId: 'tnt_1' },
    { key: 'wk_demo', externalId: 'visitor:1' },
  ])('is not %j', (body) => {
    expect(sessionRequest.safeParse(body).success).toBe(false);
  });
});
