import { describe, expect, test } from 'vitest';
import { newId } from '#domain/ids.ts';
import { ForbiddenUrlError } from '#kernel/url-guard.ts';
import type { OpenChannel, OutboundMessage } from '../../gateway.ts';
import type { TeamsApi } from './api.ts';
import { handOverFile } from './hand-over-file.ts';
import { openAttachment } from './open-attachment.ts';

const channel: OpenChannel = {
  ...{ tenantId: newId(), id: newId(), platform: 'teams', key: 'ck_teams', secrets: {}, version: 1 },
  settings: { aadTenant: 'a1b2c3d4-e5f6-7890-abcd-ef1234567890' },
  ...{ status: 'active', statusReason: undefined, tenantStatus: 'active', agent: undefined },
  ...{ tenantSettings: {}, organizationSettings: {} },
};
const signal = new AbortController().signal;
type Asked = {
  url: string;
  authorization: string | null;
  method: string;
  range: string | null;
  body: string;
};

function aFetch(answers: Record<string, () => Response> = {}) {
  const asked: Asked[] = [];
  const fetch = (async (url: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    const body = init.body ? Buffer.from(init.body as Uint8Array).toString() : '';
    const { method = 'GET' } = init;
    asked.push({
      url,
      authorization: headers.get('authorization'),
      method,
      range: headers.get('content-range'),
      body,
    });
    const answer = answers[url];
    if (!answer) throw new ForbiddenUrlError('nobody goes there');
    return answer();
  }) as unknown as typeof globalThis.fetch;
  return { asked, fetch };
}

describe('a file that came along', () => {
  const api = { token: async () => 'our-token' } as unknown as TeamsApi;
  const serviceUrl = 'https://smba.example/amer/';
  const picture = 'https://smba.example/amer/v3/attachments/1';
  const read = async (fetch: typeof globalThis.fetch, source: Record<string, unknown>) =>
    new Response(await openAttachment({ api, fetch }, channel, source, signal)).text();

  test('is fetched without our token where its address says it all', async () => {
    const { asked, fetch } = aFetch({ 'https://contoso.sharepoint.com/x': () => new Response('bytes') });
    expect(await read(fetch, { url: 'https://contoso.sharepoint.com/x' })).toBe('bytes');
    expect(asked[0]?.authorization).toBeNull();
  });

  test('gets our token below the address that was signed, and loses it with a redirect', async () => {
    const { asked, fetch } = aFetch({
      [picture]: () =>
        new Response(null, { status: 302, headers: { location: 'https://elsewhere.example/y' } }),
      'https://elsewhere.example/y': () => new Response('picture'),
    });
    expect(await read(fetch, { url: picture, serviceUrl })).toBe('picture');
    expect(asked.map(({ authorization }) => authorization)).toEqual(['Bearer our-token', null]);
  });

  test('loses our token with a redirect to the same address as well', async () => {
    const next = 'https://smba.example/amer/v3/attachments/2';
    const { asked, fetch } = aFetch({
      [picture]: () => new Response(null, { status: 307, headers: { location: next } }),
      [next]: () => new Response('picture'),
    });
    expect(await read(fetch, { url: picture, serviceUrl })).toBe('picture');
    expect(asked.map(({ authorization }) => authorization)).toEqual(['Bearer our-token', null]);
  });

  test.each([
    ['a path beside the one that was signed', 'https://smba.example/emea/v3/attachments/1'],
    ['an encoded way out of it', 'https://smba.example/amer/..%2Femea/1'],
    ['an origin that only looks like it', 'https://smba.example.evil.example/1'],
    ['another port', 'https://smba.example:8443/1'],
    ['no TLS', 'http://smba.example/1'],
  ])('gets no token at %s', async (_what, url) => {
    const { asked, fetch } = aFetch({ [url]: () => new Response('x') });
    await read(fetch, { url, serviceUrl });
    expect(asked[0]?.authorization).toBeNull();
  });

  test.each([
    [{ url: 'file:///etc/passwd' }, 'gateway_message_refused'],
    [{ url: 'https://user:pass@smba.example/1', serviceUrl }, 'gateway_message_refused'],
    [{}, 'gateway_message_refused'],
    [{ url: 'http://169.254.169.254/latest' }, 'gateway_message_refused'],
  ])('that cannot be fetched says why (%j)', async (source, code) => {
    await expect(read(aFetch().fetch, source)).rejects.toMatchObject({ code });
  });
});

describe('a file that somebody takes', () => {
  const fileId = newId();
  const upload = {
    ...{ url: 'https://contoso.sharepoint.com/upload', contentUrl: 'https://contoso.sharepoint.com/r.txt' },
    ...{ name: 'r.txt', uniqueId: 'u1', fileType: 'txt' },
  };
  const ours = { tenantId: channel.tenantId, fileId };
  const message = (more: Partial<OutboundMessage> = {}, to: object = {}, link = 'the-link') => ({
    ...{ deliveryId: newId(), messageId: newId(), turnId: undefined, attempt: 1, interrupted: false },
    ...{ role: 'system' as const, text: 'Taken', attachments: [], createdAt: new Date() },
    ...{ lastInboundAt: new Date(), conversationId: newId(), conversationExternalId: '@29:ann' },
    ...{ participantExternalId: '29:ann', externalIds: [] },
    content: { teams: { handOver: { link, upload: { ...upload, ...to } } } },
    ...more,
  });

  function aHandOver(answer: () => Response, target: typeof ours | undefined = ours) {
    const { asked, fetch } = aFetch({ [upload.url]: answer });
    const posted: Record<string, unknown>[] = [];
    const kept: string[] = [];
    const parts = {
      fetch,
      checkLink: (link: string) => (link === 'the-link' ? target : undefined),
      texts: { offer: 'A file', taken: 'Taken', failed: 'It could not be handed over.' },
      files: {
        open: async () => ({
          ...{ id: fileId, name: 'r.txt', contentType: 'text/plain', sizeBytes: 6, sha256: '' },
          bytes: new Blob(['report']).stream(),
        }),
      },
      posts: {
        post: async (_channel: unknown, _to: unknown, activity: object) => {
          posted.push(activity as Record<string, unknown>);
          return String(posted.length);
        },
      },
    };
    const to = { serviceUrl: 'https://smba.example/', conversationId: 'a:1' };
    const keepPart = async (_number: number, id: string) => void kept.push(id);
    return {
      ...{ asked, posted, kept },
      give: (given: OutboundMessage) => handOverFile(parts, channel, given, { signal, keepPart }, to),
    };
  }
  const taken = () => new Response(null, { status: 201 });

  test('is put where Teams says, without our token, kept, and shown in the chat', async () => {
    const { asked, posted, kept, give } = aHandOver(taken);
    expect(await give(message())).toEqual({ externalIds: ['file/u1', 'a:1/1'] });
    expect(asked).toEqual([
      { url: upload.url, authorization: null, method: 'PUT', range: 'bytes 0-5/6', body: 'report' },
    ]);
    expect(kept).toEqual(['file/u1']);
    expect(JSON.stringify(posted)).toContain('teams.card.file.info');
  });

  test('is not put there twice: an attempt that was interrupted goes on behind what was kept', async () => {
    const { asked, posted, give } = aHandOver(taken);
    const again = message({ attempt: 2, interrupted: true, externalIds: ['file/u1'] });
    expect(await give(again)).toEqual({ externalIds: ['file/u1', 'a:1/1'], uncertain: true });
    expect([asked, posted.length]).toEqual([[], 1]);
  });

  test('is there already where the room for it is gone after an attempt that nobody recorded', async () => {
    const gone = () => new Response(null, { status: 404 });
    const { give } = aHandOver(gone);
    expect(await give(message({ attempt: 2, interrupted: true }))).toEqual({
      externalIds: ['file/u1', 'a:1/1'],
    });
    const first = aHandOver(gone);
    await expect(first.give(message())).rejects.toMatchObject({ code: 'gateway_message_refused' });
  });

  test.each([500, 429])('is tried again after HTTP %s, and in the end the person is told', async (status) => {
    const { posted, give } = aHandOver(() => new Response(null, { status }));
    for (const attempt of [1, 2, 3, 4])
      await expect(give(message({ attempt }))).rejects.toMatchObject({ retry: 'later' });
    expect(posted).toEqual([]);
    await expect(give(message({ attempt: 5 }))).rejects.toMatchObject({
      code: 'gateway_message_refused',
      message: expect.stringContaining(`HTTP ${status}`),
    });
    expect(posted.map(({ text }) => text)).toEqual(['It could not be handed over.']);
  });

  test('is nothing that an agent or a person can ask for in a message of theirs', async () => {
    const { asked, give } = aHandOver(taken);
    expect(await give(message({ role: 'agent' }))).toBeUndefined();
    expect(await give(message({ content: {} }))).toBeUndefined();
    expect(asked).toEqual([]);
  });

  test.each<[string, typeof ours | undefined, object, string?]>([
    ['a file of another tenant', { tenantId: newId(), fileId }, {}],
    ['a link that nobody here has signed', ours, {}, 'forged'],
    ['an address that is not SharePoint’s', ours, { url: 'https://evil.example/' }],
    ['one that only ends like it', ours, { url: 'https://xsharepoint.com/' }],
    ['one without TLS', ours, { url: 'http://contoso.sharepoint.com/upload' }],
  ])('is not handed over when it is %s, and the person is told', async (_what, target, to, link) => {
    const { asked, posted, give } = aHandOver(taken, target);
    await expect(give(message({}, to, link))).rejects.toMatchObject({ code: 'gateway_message_refused' });
    expect(asked).toEqual([]);
    expect(posted.map(({ text }) => text)).toEqual(['It could not be handed over.']);
  });
});
