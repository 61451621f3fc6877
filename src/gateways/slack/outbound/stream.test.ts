import { expect, test } from 'vitest';
import { aSlackWorkspace, type SlackWorkspace } from '../../../../test/support/a-slack-workspace.ts';
import type { StreamTarget } from '../../gateway.ts';
import { PostTakenOverError } from '../../gateway-error.ts';

/** Opens a stream whose posts are kept in `kept`. */
async function openStream(workspace: SlackWorkspace, more: Partial<StreamTarget> = {}) {
  const kept: string[] = [];
  const stream = await workspace.gateway.openStream?.(
    workspace.channel,
    workspace.target(more),
    async (_number, id) => {
      kept.push(id);
    },
  );
  if (!stream) throw new Error('The gateway does not stream.');
  return { stream, kept };
}

const count = (workspace: SlackWorkspace, method: string) => workspace.slack.callsOf(method).length;
const texts = (workspace: SlackWorkspace, method: string) =>
  workspace.slack.callsOf(method).map(({ arguments: { markdown_text: text } }) => text);

/** Long enough for a machine with much else to do. */
const soon = { timeout: 5_000 };

test.concurrent('in a thread an answer is streamed: started, appended once a second, stopped', async () => {
  await using workspace = await aSlackWorkspace();
  const { stream, kept } = await openStream(workspace);
  stream.show('One');
  await expect.poll(() => kept, soon).toHaveLength(1);
  stream.show('One two');
  stream.show('One two three');
  await expect.poll(() => texts(workspace, 'chat.appendStream'), soon).toEqual([' two three']);
  stream.show('One two three four');
  await stream.close();

  const [post, ...others] = workspace.slack.posts('T1', 'C1', workspace.threadTs);
  expect(post).toMatchObject({ finalText: 'One two three four', streaming: false });
  expect(others).toEqual([]);
  expect(kept).toEqual([`C1/${post?.ts}`]);
  expect(texts(workspace, 'chat.stopStream')).toEqual([' four']);
  const { recipient_user_id: user, recipient_team_id: team } =
    workspace.slack.callsOf('chat.startStream')[0]?.arguments ?? {};
  expect([user, team]).toEqual(['U1', 'T1']);
});

test.concurrent('the id of the post is kept before Slack is called again', async () => {
  await using workspace = await aSlackWorkspace();
  let keep = () => {};
  const kept = new Promise<void>((resolve) => {
    keep = resolve;
  });
  const stream = await workspace.gateway.openStream?.(
    workspace.channel,
    workspace.target(),
    async () => kept,
  );
  stream?.show('One');
  await expect.poll(() => count(workspace, 'chat.startStream'), soon).toBe(1);
  stream?.show('One two');
  const closed = stream?.close();
  expect(workspace.slack.calls.filter(({ method }) => method.startsWith('chat.'))).toHaveLength(1);
  keep();
  await closed;
  expect(texts(workspace, 'chat.stopStream')).toEqual([' two']);
});

test.concurrent('a post that could not be recorded is taken away, and says why', async () => {
  await using workspace = await aSlackWorkspace();
  const lost = new Error('the lease is lost');
  const stream = await workspace.gateway.openStream?.(workspace.channel, workspace.target(), async () => {
    throw lost;
  });
  stream?.show('One');
  await expect.poll(() => count(workspace, 'chat.delete'), soon).toBeGreaterThan(0);
  await expect(stream?.close()).rejects.toBe(lost);
  expect(workspace.slack.posts('T1', 'C1').filter(({ streaming }) => streaming)).toEqual([]);
  expect(workspace.read('C1')).toEqual([]);
});

test.concurrent('a post that another attempt has made its own stays', async () => {
  await using workspace = await aSlackWorkspace();
  const stream = await workspace.gateway.openStream?.(workspace.channel, workspace.target(), async () => {
    throw new PostTakenOverError();
  });
  stream?.show('One');
  await expect.poll(() => workspace.read('C1'), soon).toEqual(['One']);
  await expect(stream?.close()).rejects.toThrow(PostTakenOverError);
  expect(workspace.read('C1')).toEqual(['One']);
  expect(count(workspace, 'chat.delete')).toBe(0);
});

test.concurrent('what is streamed calls nobody', async () => {
  await using workspace = await aSlackWorkspace();
  const { stream } = await openStream(workspace);
  stream.show('<!here> and <@U1> and @channel');
  await expect.poll(() => count(workspace, 'chat.startStream'), soon).toBe(1);
  await stream.close();
  expect(workspace.slack.posts('T1', 'C1').flatMap(({ mentions }) => mentions)).toEqual([]);
});

test.concurrent('outside a thread an answer is a post that is edited', async () => {
  await using workspace = await aSlackWorkspace();
  const { stream, kept } = await openStream(workspace, { conversationExternalId: workspace.places.direct });
  stream.show('One');
  await expect.poll(() => kept, soon).toHaveLength(1);
  expect(workspace.read(workspace.direct)).toEqual(['One …']);
  stream.show('One two');
  await expect.poll(() => workspace.read(workspace.direct), soon).toEqual(['One two …']);
  await stream.close();
  expect(count(workspace, 'chat.startStream')).toBe(0);
});

test.concurrent.each(['unknown_method', 'missing_scope', 'channel_type_not_supported'])(
  'where streaming is refused (%s), a post is edited, and it is not asked again for a while',
  async (error) => {
    await using workspace = await aSlackWorkspace();
    workspace.slack.fail('chat.startStream', { kind: 'ok_false', error });
    for (let answer = 1; answer <= 2; answer++) {
      const { stream, kept } = await openStream(workspace);
      stream.show(`Answer ${answer}`);
      await expect.poll(() => kept, soon).toHaveLength(1);
      await stream.close();
    }
    expect(workspace.read('C1', workspace.threadTs)).toEqual(['Answer 1 …', 'Answer 2 …']);
    expect(count(workspace, 'chat.startStream')).toBe(1);
  },
);

test.concurrent('a stream that Slack has closed goes on as edits of the same post', async () => {
  await using workspace = await aSlackWorkspace();
  const { stream, kept } = await openStream(workspace);
  stream.show('One');
  await expect.poll(() => kept, soon).toHaveLength(1);
  workspace.slack.fail('chat.appendStream', { kind: 'ok_false', error: 'message_not_in_streaming_state' });
  stream.show('One two');
  await expect.poll(() => count(workspace, 'chat.update'), soon).toBeGreaterThan(0);
  await stream.close();
  expect(workspace.slack.posts('T1', 'C1')).toMatchObject([{ finalText: 'One two …' }]);
});

test.concurrent('a rerun edits the post that is there', async () => {
  await using workspace = await aSlackWorkspace();
  const first = await openStream(workspace);
  first.stream.show('A beginning that is lost');
  await expect.poll(() => first.kept, soon).toHaveLength(1); // and is never closed

  const second = await openStream(workspace, { attempt: 2, externalIds: first.kept });
  second.stream.show('Another beginning');
  await expect.poll(() => workspace.read('C1'), soon).toEqual(['Another beginning …']);
  await second.stream.close();
  expect(second.kept).toEqual([]);
  expect(count(workspace, 'chat.startStream')).toBe(1);
});

test.concurrent('a limit of Slack is waited for, without a storm', async () => {
  await using workspace = await aSlackWorkspace();
  const { stream, kept } = await openStream(workspace);
  stream.show('One');
  await expect.poll(() => kept, soon).toHaveLength(1);
  workspace.slack.fail('chat.appendStream', { kind: 'rate_limit', retryAfterSeconds: 60, times: 100 });
  for (let words = 1; words <= 20; words++) {
    stream.show(`One${' more'.repeat(words)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(count(workspace, 'chat.appendStream')).toBe(1);
  await stream.close();
  expect(workspace.read('C1')).toEqual([`One${' more'.repeat(20)}`]);
});

test.concurrent('a channel that does not want to show answers in the making shows nothing', async () => {
  await using workspace = await aSlackWorkspace({ settings: { streaming: false } });
  const { stream, kept } = await openStream(workspace);
  stream.show('One');
  await stream.close();
  expect([kept, workspace.slack.calls]).toEqual([[], []]);
});

test.concurrent('whatever goes wrong with the stream, the answer arrives whole in the same post', async () => {
  await using workspace = await aSlackWorkspace();
  const { stream, kept } = await openStream(workspace);
  stream.show('One');
  await expect.poll(() => kept, soon).toHaveLength(1);
  workspace.slack.fail('chat.stopStream', { kind: 'http_500' });
  await stream.close();
  const { externalIds } = await workspace.send(workspace.message({ text: 'The answer', externalIds: kept }));
  expect(externalIds).toEqual(kept);
  expect(workspace.slack.posts('T1', 'C1')).toMatchObject([{ finalText: 'The answer', streaming: false }]);
});

test.concurrent('an assistant shows that it is at work, and nothing else does', async () => {
  await using workspace = await aSlackWorkspace();
  const { channel, threadTs } = await workspace.slack.startAssistantThread('T1', { user: 'U1' });
  const at = (conversationExternalId: string) => workspace.target({ conversationExternalId });
  await workspace.gateway.showWorking?.(workspace.channel, at(workspace.places.thread));
  await workspace.gateway.showWorking?.(workspace.channel, at(workspace.places.direct));
  await workspace.gateway.showWorking?.(workspace.channel, at(`${channel}/${threadTs}`));
  expect(workspace.slack.assistantThreads).toMatchObject([{ channel, threadTs, status: 'is writing …' }]);
  expect(count(workspace, 'assistant.threads.setStatus')).toBe(1);
});

test.concurrent('an app that may show no status is not asked to for a while', async () => {
  await using workspace = await aSlackWorkspace();
  workspace.slack.fail('assistant.threads.setStatus', { kind: 'ok_false', error: 'missing_scope', times: 5 });
  const target = workspace.target({ conversationExternalId: `${workspace.direct}/1.0` });
  for (let answer = 1; answer <= 3; answer++)
    await workspace.gateway.showWorking?.(workspace.channel, target);
  expect(count(workspace, 'assistant.threads.setStatus')).toBe(1);
});
