import { expect, test } from 'vitest';
import { aSlackWorkspace } from '../../../../test/support/a-slack-workspace.ts';
import { GatewayError } from '../../gateway-error.ts';
import type { SlackApi } from './api.ts';
import { findPosts } from './reconcile.ts';

const message = {
  ...{ deliveryId: 'delivery-1', turnId: 'turn-1', createdAt: new Date(1_767_225_600_000) },
  text: 'One, **two**, three.',
};
const options = { appId: 'A1', signal: new AbortController().signal };
const post = (ts: string, payload: object, more: object = {}) => ({
  ts,
  app_id: 'A1',
  metadata: { event_type: 'swarmgate_delivery', event_payload: payload },
  ...more,
});

type Page = { messages: object[]; next?: string };

/** A Web API that answers with these pages; an error is thrown. */
function apiWith(...pages: (Page | GatewayError)[]) {
  const calls: Readonly<Record<string, unknown>>[] = [];
  const call = async (_channel: unknown, method: string, args: Readonly<Record<string, unknown>>) => {
    calls.push({ method, ...args });
    const page = pages[Math.min(calls.length, pages.length) - 1];
    if (!page || page instanceof GatewayError) throw page;
    return { ok: true, messages: page.messages, response_metadata: { next_cursor: page.next ?? '' } };
  };
  return { api: { call } as unknown as SlackApi, calls };
}

async function find(api: SlackApi, place: { channel: string; threadTs?: string } = { channel: 'C1' }) {
  await using workspace = await aSlackWorkspace();
  const { posts, complete } = await findPosts(api, workspace.channel, place, message, options);
  return { posts: [...posts], complete };
}

test('posts are recognised by the delivery, or by the turn of their stream', async () => {
  const { api } = apiWith({
    messages: [
      post('2.0', { delivery: 'delivery-1', part: 2 }),
      post('1.0', { turn: 'turn-1', part: 1 }),
      post('9.0', { delivery: 'delivery-2', part: 1 }),
      { ts: '8.0' },
    ],
  });
  expect(await find(api)).toEqual({
    posts: [
      [2, 'C1/2.0'],
      [1, 'C1/1.0'],
    ],
    complete: true,
  });
});

test('what another app says about our delivery is not ours', async () => {
  const foreign = post('1.0', { delivery: 'delivery-1', part: 1 }, { app_id: 'A2' });
  const odd = post('2.0', { delivery: 'delivery-1', part: 'two' });
  const { api } = apiWith({ messages: [foreign, odd] });
  expect(await find(api)).toEqual({ posts: [], complete: true });
});

test('a stream that was left open in the thread is its first part', async () => {
  const thread = { channel: 'C1', threadTs: '5.0' };
  const preview = { ts: '6.0', app_id: 'A1', text: 'One, *two*' };
  const person = { ts: '5.5', text: 'One' };
  const [alone, beside, other, outside] = [
    apiWith({ messages: [person, preview] }),
    apiWith({ messages: [preview, post('7.0', { delivery: 'delivery-1', part: 1 })] }),
    apiWith({ messages: [{ ...preview, text: 'Two' }] }),
    apiWith({ messages: [preview] }),
  ];
  expect(await find(alone.api, thread)).toEqual({ posts: [[1, 'C1/6.0']], complete: true });
  expect(await find(beside.api, thread)).toEqual({ posts: [[1, 'C1/7.0']], complete: true });
  expect(await find(other.api, thread)).toEqual({ posts: [], complete: false });
  expect(await find(outside.api)).toEqual({ posts: [], complete: true });
});

test('a thread is looked through from shortly before the message on', async () => {
  const { api, calls } = apiWith({ messages: [] });
  await find(api, { channel: 'C1', threadTs: '5.0' });
  expect(calls).toEqual([
    expect.objectContaining({
      ...{ method: 'conversations.replies', channel: 'C1', ts: '5.0', include_all_metadata: true },
      oldest: '1767225540.000000',
    }),
  ]);
});

test('later pages are looked through too, up to a bound', async () => {
  const pages = [
    { messages: [post('1.0', { delivery: 'delivery-1', part: 1 })], next: 'a' },
    { messages: [post('2.0', { delivery: 'delivery-1', part: 2 })] },
  ];
  const short = apiWith(...pages);
  expect(await find(short.api)).toMatchObject({ posts: { length: 2 }, complete: true });
  expect(short.calls[1]).toMatchObject({ cursor: 'a' });

  const endless = apiWith({ messages: [], next: 'more' });
  expect(await find(endless.api)).toEqual({ posts: [], complete: false });
  expect(endless.calls).toHaveLength(4);
});

test('a limit is waited for once, if it is short', async () => {
  const limited = (retryAfterMs: number) => new GatewayError('rate_limited', 'Too many.', { retryAfterMs });
  const passing = apiWith(limited(1), { messages: [] });
  expect(await find(passing.api)).toEqual({ posts: [], complete: true });
  const lasting = apiWith(limited(1));
  expect(await find(lasting.api)).toEqual({ posts: [], complete: false });
  expect(lasting.calls).toHaveLength(2);
  const long = apiWith(limited(60_000));
  expect(await find(long.api)).toEqual({ posts: [], complete: false });
  expect(long.calls).toHaveLength(1);
});

test('a refusal leaves it open whether there is anything', async () => {
  const { api } = apiWith(new GatewayError('credentials_refused', 'No.', { platformCode: 'missing_scope' }));
  expect(await find(api)).toEqual({ posts: [], complete: false });
});

test('a send whose time is up does not go on', async () => {
  const { api } = apiWith(new GatewayError('not_now', 'No time.', { retryAfterMs: 0 }));
  await expect(find(api)).rejects.toMatchObject({ code: 'gateway_not_now' });
});
