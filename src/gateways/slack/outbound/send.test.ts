import { expect, test } from 'vitest';
import { newId } from '#domain/ids.ts';
import { anOpenPacer, aSlackWorkspace, filesOf } from '../../../../test/support/a-slack-workspace.ts';
import type { GatewayError } from '../../gateway-error.ts';

/** So long that it takes several posts, each sentence recognisable. */
const longText = Array.from({ length: 400 }, (_, index) => `Sentence number ${index} of a long answer.`).join(
  ' ',
);

const unpaced = () => ({
  pacer: anOpenPacer().pacer,
  simulator: { limits: { postsPerSecond: 1_000, postBurst: 1_000 } },
});

async function failureOf(sending: Promise<unknown>): Promise<GatewayError> {
  return sending.then(
    () => Promise.reject(new Error('It was sent.')),
    (error: GatewayError) => error,
  );
}

/** Long enough for a machine with much else to do. */
const soon = { timeout: 5_000 };

test('an answer is a post in its thread that says whose it is, without previews of links', async () => {
  await using workspace = await aSlackWorkspace();
  const message = workspace.message({ text: 'See https://example.com' });
  const { externalIds, kept, uncertain } = await workspace.send(message);
  const [post] = workspace.slack.posts('T1', 'C1', workspace.threadTs);
  expect(post?.finalText).toBe('See https://example.com');
  expect(post?.metadata).toEqual({
    event_type: 'swarmgate_delivery',
    event_payload: { delivery: message.deliveryId, part: 1 },
  });
  expect({ externalIds, kept, uncertain }).toEqual({
    externalIds: [`C1/${post?.ts}`],
    // The last one is kept with the outcome.
    kept: [],
    uncertain: undefined,
  });
  const [call] = workspace.slack.callsOf('chat.postMessage');
  expect(call?.arguments).toMatchObject({ unfurl_links: 'false', unfurl_media: 'false', parse: 'none' });
});

test('a long answer arrives whole, in order, each id kept before the next post', async () => {
  await using workspace = await aSlackWorkspace(unpaced());
  const timeline: string[] = [];
  const message = workspace.message({ text: longText });
  const { externalIds } = await workspace.gateway.send(workspace.channel, message, {
    signal: new AbortController().signal,
    async keepPart(number, id) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      timeline.push(`${number} ${id} of ${workspace.slack.callsOf('chat.postMessage').length}`);
    },
  });
  expect(externalIds.length).toBeGreaterThan(3);
  const goOn = externalIds.slice(0, -1);
  expect(timeline).toEqual(goOn.map((id, index) => `${index + 1} ${id} of ${index + 1}`));
  expect(workspace.read('C1', workspace.threadTs).join(' ').replaceAll(/\s+/g, ' ')).toBe(longText);
});

test('an answer to a person goes to the direct message, which is opened once', async () => {
  await using workspace = await aSlackWorkspace();
  for (const text of ['One', 'Two'])
    await workspace.send(workspace.message({ text, conversationExternalId: workspace.places.direct }));
  expect(workspace.read(workspace.direct)).toEqual(['One', 'Two']);
  expect(workspace.slack.callsOf('conversations.open')).toHaveLength(1);
});

test('an answer outside a thread stands outside a thread', async () => {
  await using workspace = await aSlackWorkspace();
  await workspace.send(workspace.message({ conversationExternalId: workspace.places.channel }));
  expect(workspace.slack.posts('T1', 'C1')).toMatchObject([{ finalText: 'An answer', threadTs: undefined }]);
});

test('posts that are out are edited, and what is missing is posted', async () => {
  await using workspace = await aSlackWorkspace(unpaced());
  const draft = await workspace.send(workspace.message({ text: 'A draft' }));
  const { externalIds, kept } = await workspace.send(
    workspace.message({ text: longText, externalIds: draft.externalIds }),
  );
  expect(externalIds[0]).toBe(draft.externalIds[0]);
  expect(kept).toEqual(externalIds.slice(1, -1));
  expect(workspace.read('C1').join(' ').replaceAll(/\s+/g, ' ')).toBe(longText);
});

test('posts of a draft that was longer than the answer go away', async () => {
  await using workspace = await aSlackWorkspace(unpaced());
  const draft = await workspace.send(workspace.message({ text: longText }));
  const { externalIds } = await workspace.send(
    workspace.message({ text: 'Short', externalIds: draft.externalIds }),
  );
  expect(externalIds).toEqual(draft.externalIds.slice(0, 1));
  expect(workspace.read('C1')).toEqual(['Short']);
});

test('a stream that a crash has left open is stopped, and says the final text', async () => {
  await using workspace = await aSlackWorkspace();
  const ids: string[] = [];
  const stream = await workspace.gateway.openStream?.(
    workspace.channel,
    workspace.target(),
    async (_number, id) => {
      ids.push(id);
    },
  );
  stream?.show('A beginning');
  await expect.poll(() => ids, soon).toHaveLength(1);
  const { externalIds } = await workspace.send(workspace.message({ text: 'The end', externalIds: ids }));
  expect(externalIds).toEqual(ids);
  expect(workspace.slack.posts('T1', 'C1')).toMatchObject([{ finalText: 'The end', streaming: false }]);
});

test('a post that somebody has deleted is posted anew', async () => {
  await using workspace = await aSlackWorkspace();
  const draft = await workspace.send(workspace.message({ text: 'A draft' }));
  const [, ts = ''] = draft.externalIds[0]?.split('/') ?? [];
  await workspace.slack.deleteMessage('T1', { channel: 'C1', ts });
  const { externalIds, kept } = await workspace.send(
    workspace.message({ text: 'The answer', externalIds: draft.externalIds }),
  );
  expect(externalIds).not.toEqual(draft.externalIds);
  expect(kept).toEqual(externalIds);
  expect(workspace.read('C1')).toEqual(['The answer']);
});

test('when its time is up, a send stops between two posts and goes on in the next attempt', async () => {
  await using workspace = await aSlackWorkspace(unpaced());
  const message = workspace.message({ text: longText });
  const timeUp = new AbortController();
  const kept: string[] = [];
  const failure = await failureOf(
    workspace.gateway.send(workspace.channel, message, {
      signal: timeUp.signal,
      async keepPart(_number, id) {
        kept.push(id);
        if (kept.length === 2) timeUp.abort();
      },
    }),
  );
  expect(failure).toMatchObject({ code: 'gateway_not_now', retryAfterMs: 0 });
  expect(workspace.slack.posts('T1', 'C1')).toHaveLength(2);

  const { externalIds } = await workspace.send({ ...message, attempt: 2, externalIds: kept });
  expect(externalIds.slice(0, 2)).toEqual(kept);
  expect(workspace.read('C1').join(' ').replaceAll(/\s+/g, ' ')).toBe(longText);
});

test('a limit of Slack ends the attempt with the time to wait, and nothing is posted twice', async () => {
  await using workspace = await aSlackWorkspace(unpaced());
  workspace.slack.fail('chat.postMessage', { kind: 'rate_limit', retryAfterSeconds: 7 });
  const message = workspace.message();
  expect(await failureOf(workspace.send(message))).toMatchObject({
    code: 'gateway_rate_limited',
    retryAfterMs: 7_000,
  });
  await workspace.send({ ...message, attempt: 2 });
  expect(workspace.read('C1')).toEqual(['An answer']);
});

test('an interrupted send finds what it has posted without a record, and posts only the rest', async () => {
  await using workspace = await aSlackWorkspace(unpaced());
  const message = workspace.message({ text: longText });
  let posts = 0;
  workspace.slack.fail('chat.postMessage', { kind: 'answer_lost', where: () => ++posts === 2 });
  const kept: string[] = [];
  const failure = await failureOf(
    workspace.gateway.send(workspace.channel, message, {
      signal: new AbortController().signal,
      keepPart: async (_number, id) => void kept.push(id),
    }),
  );
  expect(failure).toMatchObject({ code: 'gateway_unavailable', mayHaveArrived: true });
  expect(kept).toHaveLength(1);

  const { externalIds, uncertain } = await workspace.send({
    ...message,
    ...{ attempt: 2, interrupted: true, externalIds: kept },
  });
  expect(uncertain).toBeUndefined();
  expect(workspace.slack.posts('T1', 'C1').map(({ ts }) => `C1/${ts}`)).toEqual(externalIds);
  expect(workspace.read('C1').join(' ').replaceAll(/\s+/g, ' ')).toBe(longText);
});

test.each(['direct', 'channel'] as const)(
  'an interrupted send is found in a place without threads: %s',
  async (kind) => {
    await using workspace = await aSlackWorkspace();
    const message = workspace.message({ conversationExternalId: workspace.places[kind] });
    workspace.slack.fail('chat.postMessage', { kind: 'answer_lost' });
    await failureOf(workspace.send(message));
    const { externalIds, kept } = await workspace.send({ ...message, attempt: 2, interrupted: true });
    expect(kept).toEqual(externalIds);
    expect(workspace.slack.callsOf('chat.postMessage')).toHaveLength(1);
  },
);

test('where Slack does not let us look, an interrupted message is sent and said to be uncertain', async () => {
  await using workspace = await aSlackWorkspace({ scopes: ['chat:write'] });
  const { externalIds, uncertain } = await workspace.send(
    workspace.message({ attempt: 2, interrupted: true }),
  );
  expect(uncertain).toBe(true);
  expect(externalIds).toHaveLength(1);
});

test('files go along in one post of the thread, and only once', async () => {
  const [one, two] = [newId(), newId()];
  const files = filesOf({
    [one]: { name: 'one.txt', contentType: 'text/plain', text: 'first file' },
    [two]: { name: 'two.csv', contentType: 'text/csv', text: 'a,b' },
  });
  await using workspace = await aSlackWorkspace({ files });
  const message = workspace.message({
    attachments: [
      { fileId: one, name: 'one.txt', contentType: 'text/plain', sizeBytes: 10 },
      { fileId: two, name: 'two.csv', contentType: 'text/csv', sizeBytes: 3 },
    ],
  });
  const first = await workspace.send(message);
  expect(workspace.slack.posts('T1', 'C1', workspace.threadTs).map(({ fileIds }) => fileIds.length)).toEqual([
    0, 2,
  ]);
  expect(first.kept).toEqual(first.externalIds);

  const second = await workspace.send({ ...message, attempt: 2, externalIds: first.externalIds });
  expect(second.externalIds).toEqual(first.externalIds);
  expect(workspace.slack.posts('T1', 'C1')).toHaveLength(2);
});

test('a token that was revoked pauses the channel', async () => {
  await using workspace = await aSlackWorkspace();
  workspace.slack.revokeToken(workspace.channel.secrets['botToken'] ?? '');
  expect(await failureOf(workspace.send(workspace.message()))).toMatchObject({
    code: 'gateway_credentials_refused',
  });
});

test('posts keep the pace of their channel, edits that of the workspace', async () => {
  const { pacer, taken } = anOpenPacer();
  await using workspace = await aSlackWorkspace({ pacer });
  const { externalIds } = await workspace.send(workspace.message());
  await workspace.send(workspace.message({ externalIds }));
  const { id } = workspace.channel;
  expect(taken).toEqual([
    { key: `slack/${id}/C1`, intervalMs: 1_000 },
    { key: `slack/${id}/chat.update`, intervalMs: 700 },
  ]);
});
