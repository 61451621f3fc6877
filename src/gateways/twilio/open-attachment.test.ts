import { describe, expect, test, vi } from 'vitest';
import type { Uuid } from '#domain/ids.ts';
import { newId } from '#domain/ids.ts';
import { ForbiddenUrlError } from '#kernel/url-guard.ts';
import type { Channel } from '../gateway.ts';
import { openAttachment } from './open-attachment.ts';

const mediaUrl = 'https://api.twilio.com/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1';
const storeUrl = 'https://media.cdn.example/AC1/abc?signature=s';
const credentials = `Basic ${Buffer.from('AC1:token-1').toString('base64')}`;

const channel: Channel = {
  tenantId: newId() as Uuid,
  id: newId() as Uuid,
  platform: 'twilio',
  key: 'ck_sms',
  settings: { accountSid: 'AC1', number: '+15550001' },
  secrets: { authToken: 'token-1' },
};

/** A web of pages: what each address answers. Nothing else is there. */
function aWeb(pages: Readonly<Record<string, () => Response>>) {
  return vi.fn<typeof globalThis.fetch>(async (address) => {
    const page = pages[String(address)];
    if (!page) throw new TypeError('fetch failed');
    return page();
  });
}

const found = () => new Response('bytes');
const sentTo = (location: string) => () => new Response(null, { status: 307, headers: { location } });

async function open(web: typeof globalThis.fetch, url: unknown = mediaUrl, parts: { apiUrl?: string } = {}) {
  const bytes = await openAttachment(
    { fetch: web, ...parts },
    channel,
    { url },
    new AbortController().signal,
  );
  return new Response(bytes).text();
}

const authorizationsOf = (web: ReturnType<typeof aWeb>) =>
  web.mock.calls.map(([, init]) => new Headers(init?.headers).get('authorization'));

test('a file is asked for with the account’s token, and its store without', async () => {
  const web = aWeb({ [mediaUrl]: sentTo(storeUrl), [storeUrl]: found });
  expect(await open(web)).toBe('bytes');
  expect(authorizationsOf(web)).toEqual([credentials, null]);
  for (const [, init] of web.mock.calls) expect(init).toMatchObject({ redirect: 'manual' });
});

test('a token that was shown once is not shown again, not even to the same address', async () => {
  const again = `${mediaUrl}.bin`;
  const web = aWeb({ [mediaUrl]: sentTo(again), [again]: found });
  expect(await open(web)).toBe('bytes');
  expect(authorizationsOf(web)).toEqual([credentials, null]);
});

test('other hosts of Twilio’s are asked without a token', async () => {
  const url = 'https://mcs.us1.twilio.com/v1/Services/IS1/Media/ME1';
  const web = aWeb({ [url]: found });
  expect(await open(web, url)).toBe('bytes');
  expect(authorizationsOf(web)).toEqual([null]);
});

test('the API of another base address is asked with a token', async () => {
  const url = 'http://127.0.0.1:9000/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1';
  const web = aWeb({ [url]: found });
  expect(await open(web, url, { apiUrl: 'http://127.0.0.1:9000' })).toBe('bytes');
  expect(authorizationsOf(web)).toEqual([credentials]);
});

test.each([
  ['another host', 'https://evil.example/ME1'],
  ['a host that only ends alike', 'https://eviltwilio.com/ME1'],
  ['a host that only begins alike', 'https://api.twilio.com.evil.example/ME1'],
  ['Twilio’s host in the clear', 'http://api.twilio.com/ME1'],
  ['another port', 'https://api.twilio.com:8443/ME1'],
  ['a user of the address’s own', 'https://AC1:x@api.twilio.com/ME1'],
  ['another base address than the configured one', 'http://127.0.0.1:9001/ME1'],
  ['a file', 'file:///etc/passwd'],
  ['no address', 'ME1'],
  ['nothing', null],
])('%s is never asked', async (_, url) => {
  const web = aWeb({});
  await expect(open(web, url, { apiUrl: 'http://127.0.0.1:9000' })).rejects.toMatchObject({
    code: 'gateway_message_refused',
  });
  expect(web).not.toHaveBeenCalled();
});

describe('what cannot be had', () => {
  const answer = (status: number) => aWeb({ [mediaUrl]: () => new Response('no', { status }) });

  test.each([
    [401, 'gateway_credentials_refused'],
    [403, 'gateway_credentials_refused'],
    [404, 'gateway_message_refused'],
    [410, 'gateway_message_refused'],
    [429, 'gateway_rate_limited'],
    [500, 'gateway_unavailable'],
    [302, 'gateway_message_refused'],
  ])('HTTP %i', async (status, code) => {
    await expect(open(answer(status))).rejects.toMatchObject({ code });
  });

  test('because nobody answers', async () => {
    await expect(open(aWeb({}))).rejects.toMatchObject({ code: 'gateway_unavailable', retry: 'later' });
  });

  test('because its store is where nobody may be sent, is not tried again', async () => {
    const web = vi.fn<typeof globalThis.fetch>(async () => {
      throw new ForbiddenUrlError('10.0.0.1 is not public.');
    });
    await expect(open(web)).rejects.toMatchObject({ code: 'gateway_message_refused', retry: 'never' });
  });

  test('because it leads in a circle, is given up', async () => {
    const web = aWeb({ [mediaUrl]: sentTo(mediaUrl) });
    await expect(open(web)).rejects.toMatchObject({ code: 'gateway_message_refused' });
    expect(web.mock.calls.length).toBeLessThan(10);
  });

  test('is told without the token', async () => {
    for (const web of [answer(401), answer(500), aWeb({})])
      await expect(open(web)).rejects.toEqual(
        expect.objectContaining({ message: expect.not.stringContaining('token-1') }),
      );
  });
});
