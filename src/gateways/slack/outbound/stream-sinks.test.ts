import { expect, test } from 'vitest';
import { anOpenPacer, aSlackWorkspace } from '../../../../test/support/a-slack-workspace.ts';
import { GatewayError } from '../../gateway-error.ts';
import type { SlackApi } from './api.ts';
import type { SlackPosts } from './send-posts.ts';
import { createEditsSink, createNativeSink } from './stream-sinks.ts';

const lost = new GatewayError('unavailable', 'No answer.', { mayHaveArrived: true });
const refused = new GatewayError('unavailable', 'Not connected.');

/** Sinks on a Slack that fails the calls that `fail` names. */
async function aStage(fail: (method: string, count: number) => GatewayError | undefined) {
  const calls: { method: string; text: unknown }[] = [];
  const answer = (method: string, text: unknown) => {
    calls.push({ method, text });
    const failure = fail(method, calls.length);
    if (failure) throw failure;
    return { channel: 'C1', ts: '2.0' };
  };
  const call = async (_channel: unknown, method: string, args: Readonly<Record<string, unknown>>) =>
    answer(method, args['markdown_text']);
  const posts: SlackPosts = {
    post: async (_channel, _place, part) => answer('post', part.text),
    async edit(_channel, _id, part) {
      answer('edit', part.text);
      return 'edited';
    },
    remove: async () => void answer('remove', undefined),
  };
  await using workspace = await aSlackWorkspace();
  const parts = { api: { call } as unknown as SlackApi, posts, pacer: anOpenPacer().pacer };
  const target = { channel: workspace.channel, target: workspace.target(), keepExternalId: async () => {} };
  return {
    calls,
    native: createNativeSink(parts, target, { channel: 'C1', threadTs: '1.0' }),
    edits: createEditsSink(parts, target, { channel: 'C1' }, undefined),
  };
}

test('a stream that may have started is not started twice', async () => {
  const { native, calls } = await aStage(() => lost);
  await expect(native.write('One')).rejects.toBe(lost);
  await native.write('One two');
  await native.close('One two');
  expect(native.hasBegun()).toBe(true);
  expect(calls).toEqual([{ method: 'chat.startStream', text: 'One' }]);
});

test('a stream that cannot have started is started later', async () => {
  const { native, calls } = await aStage((_method, count) => (count === 1 ? refused : undefined));
  await expect(native.write('One')).rejects.toBe(refused);
  await native.write('One two');
  expect(calls.map(({ text }) => text)).toEqual(['One', 'One two']);
});

test('a piece that may have arrived is not appended twice', async () => {
  const { native, calls } = await aStage((method) => (method === 'chat.appendStream' ? lost : undefined));
  await native.write('One');
  await expect(native.write('One two')).rejects.toBe(lost);
  await native.write('One two three');
  await native.close('One two three');
  expect(calls).toEqual([
    { method: 'chat.startStream', text: 'One' },
    { method: 'chat.appendStream', text: ' two' },
    { method: 'chat.stopStream', text: undefined },
  ]);
});

test('a stream that cannot be stopped fails nothing', async () => {
  const { native } = await aStage((method) => (method === 'chat.stopStream' ? lost : undefined));
  await native.write('One');
  await native.close('One');
});

test('a post that may be there is not posted twice', async () => {
  const { edits, calls } = await aStage(() => lost);
  await expect(edits.write('One')).rejects.toBe(lost);
  await edits.write('One two');
  expect(calls).toHaveLength(1);
});

test('what would look the same is not edited', async () => {
  const { edits, calls } = await aStage(() => undefined);
  for (const text of ['One', 'One', 'One two']) await edits.write(text);
  expect(calls.map(({ method, text }) => [method, text])).toEqual([
    ['post', 'One …'],
    ['edit', 'One two …'],
  ]);
});

test('of a long answer its first post is shown, once that is full without end', async () => {
  const { edits, calls } = await aStage(() => undefined);
  const text = Array.from({ length: 2_000 }, (_, index) => `word${index}`).join(' ');
  await edits.write(text);
  await edits.write(`${text} and more`);
  expect(calls).toHaveLength(1);
  expect(text).toContain(calls[0]?.text);
});
