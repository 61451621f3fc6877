import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { examineChannels } from '../../src/cli/doctor-channels.ts';
import { done, type Script, say, scriptedAgent } from '../fakes/scripted-agent.ts';
import { postsOf, sharedSlackService } from '../support/a-slack-service.ts';
import { eventually } from '../support/eventually.ts';

let script: Script = () => say('');
const { agent } = scriptedAgent((...given) => script(...given));
const service = sharedSlackService({ overrides: { wrapAgents: () => agent } });

let number = 0;
const aChannel = () => `C${String(++number).padStart(4, '0')}`;
const roomy = { postsPerSecond: 1_000, postBurst: 1_000, perMinute: { 1: 1e5, 2: 1e5, 3: 1e5, 4: 1e5 } };

beforeEach(() => service().slack.changeLimits(roomy));
afterEach(() => {
  service().slack.mend();
  expect(service().slack.violations).toEqual([]);
});

async function ask(channel: string): Promise<string> {
  const { slack, botUserId } = service();
  const { ts } = await slack.say('T1', { user: 'U1', channel, text: `<@${botUserId}> tell me` });
  return ts;
}

/** Waits until an answer has gone out into a channel, and answers its delivery. */
const deliveryTo = (channel: string) =>
  eventually(async () => {
    const { deliveries } = await service().rows();
    const found = deliveries.find(({ external_ids: ids }) => ids[0]?.startsWith(`${channel}/`));
    expect(found?.state).toBe('sent');
    return found;
  });

/** Pieces far enough from each other that they are shown one by one. */
async function* slowly(...pieces: string[]) {
  for (const delta of pieces) {
    yield { kind: 'text' as const, delta };
    await sleep(500);
  }
  yield done(pieces.join(''));
}

describe('an answer that takes its time', () => {
  test('grows in one post in the thread, by Slack’s own streaming', async () => {
    script = () => slowly('One, ', 'two, ', 'three, ', 'four.');
    const { slack } = service();
    const channel = aChannel();
    const threadTs = await ask(channel);
    const [text] = await eventually(async () => {
      const posts = await postsOf(slack, 'T1', channel, { threadTs });
      expect(posts).toEqual(['One, two, three, four.']);
      return posts;
    });
    expect(text).toBe('One, two, three, four.');
    const [post] = slack.posts('T1', channel);
    expect(post?.edits.at(-1)).toBe('One, two, three, four.');
    expect(slack.callsOf('chat.appendStream').length).toBeGreaterThan(0);
    expect(
      slack.callsOf('chat.startStream').filter(({ arguments: given }) => given['channel'] === channel),
    ).toHaveLength(1);
    expect(
      slack.callsOf('chat.postMessage').filter(({ arguments: given }) => given['channel'] === channel),
    ).toHaveLength(0);
  });

  test('grows by edits where Slack refuses to stream', async () => {
    script = () => slowly('One, ', 'two, ', 'three, ', 'four, ', 'five.');
    const { slack } = service();
    slack.fail('chat.startStream', { kind: 'ok_false', error: 'unknown_method', times: 1_000 });
    const channel = aChannel();
    const threadTs = await ask(channel);
    await eventually(async () => {
      expect(await postsOf(slack, 'T1', channel, { threadTs })).toEqual(['One, two, three, four, five.']);
    });
    expect(slack.posts('T1', channel)).toHaveLength(1);
  });

  test('arrives whole although Slack answers nothing but 429 while it is written', async () => {
    script = () => slowly('After ', 'the ', 'storm.');
    const { slack } = service();
    const channel = aChannel();
    const isHere = {
      where: (call: { arguments: Record<string, unknown> }) => call.arguments['channel'] === channel,
    };
    for (const method of [
      'chat.startStream',
      'chat.appendStream',
      'chat.stopStream',
      'chat.update',
      'chat.postMessage',
    ])
      slack.fail(method, { kind: 'rate_limit', times: 4, retryAfterSeconds: 1, ...isHere });
    const threadTs = await ask(channel);
    await eventually(async () => {
      expect(await postsOf(slack, 'T1', channel, { threadTs })).toEqual(['After the storm.']);
    }, 30_000);
  });
});

describe('a long answer', () => {
  const lines = (from: number) =>
    Array.from({ length: 60 }, (_, i) => `const value${from + i} = compute(${from + i});`);
  const prose = (topic: string) => `About ${topic}. `.repeat(170).trim();
  const code = [lines(0), lines(60), lines(120)];
  const answer = code
    .map(
      (block, index) =>
        `## Part ${index + 1}\n\n${prose(`part ${index + 1}`)}\n\n\`\`\`ts\n${block.join('\n')}\n\`\`\``,
    )
    .join('\n\n');

  test('of 12,000 characters with code blocks arrives whole, in parts that Slack takes', async () => {
    expect(answer.length).toBeGreaterThan(12_000);
    script = () => say(answer);
    const { slack } = service();
    const channel = aChannel();
    const threadTs = await ask(channel);
    const delivery = await deliveryTo(channel);
    const posts = slack.posts('T1', channel, threadTs);
    expect(posts.length).toBeGreaterThan(2);
    expect(delivery?.external_ids).toEqual(posts.map(({ ts }) => `${channel}/${ts}`));
    const text = posts.map(({ finalText }) => finalText).join('\n');
    for (const line of code.flat()) expect(text.split(line)).toHaveLength(2);
    const [, second] = posts;
    await slack.react('T1', { user: 'U1', channel, ts: second?.ts ?? '', name: 'eyes' });
    const { messages } = await service().rows();
    expect(messages.find(({ text: name }) => name === 'eyes')).toMatchObject({
      target_message_id: delivery?.message_id,
    });
    for (const topic of ['part 1', 'part 2', 'part 3'])
      expect(text.split(`About ${topic}.`)).toHaveLength(171);
  });

  test('whose second part is refused for a while goes on where it stopped', async () => {
    script = () => say(answer);
    const { slack } = service();
    const channel = aChannel();
    let posts = 0;
    slack.fail('chat.postMessage', {
      kind: 'http_500',
      times: 1,
      where: ({ arguments: given }) => given['channel'] === channel && ++posts === 2,
    });
    await ask(channel);
    await deliveryTo(channel);
    const texts = slack.posts('T1', channel).map(({ finalText }) => finalText);
    expect(new Set(texts).size).toBe(texts.length);
    for (const line of code.flat()) expect(texts.join('\n').split(line)).toHaveLength(2);
  });
});

describe('a post that Slack took without saying so', () => {
  test('is found again and not sent twice', async () => {
    script = () => say('Only once.');
    const { slack } = service();
    const channel = aChannel();
    slack.fail('chat.postMessage', {
      kind: 'answer_lost',
      where: ({ arguments: given }) => given['channel'] === channel,
    });
    const threadTs = await ask(channel);
    await deliveryTo(channel);
    expect(await postsOf(slack, 'T1', channel, { threadTs })).toEqual(['Only once.']);
  });

  test('is sent again, and counted, where Slack does not let us look', async () => {
    script = () => say('Perhaps twice.');
    const { slack } = service();
    const channel = aChannel();
    const isHere = (call: { arguments: Record<string, unknown> }) => call.arguments['channel'] === channel;
    slack.fail('chat.postMessage', { kind: 'answer_lost', where: isHere });
    slack.fail('conversations.replies', {
      kind: 'ok_false',
      error: 'missing_scope',
      times: 100,
      where: isHere,
    });
    await ask(channel);
    await eventually(async () => expect(slack.posts('T1', channel)).toHaveLength(2), 20_000);
    await eventually(async () => {
      const { events } = await service().rows();
      expect(events.filter(({ kind }) => kind === 'delivery.doubled')).toHaveLength(1);
    });
    const { id } = (await deliveryTo(channel)) ?? {};
    expect(await examineChannels(service().config, service().app.storage)).toContainEqual({
      check: 'deliveries',
      state: 'note',
      says: expect.stringMatching(
        new RegExp(`, 1 perhaps shown twice after a crash: .*\\b${id} perhaps twice`),
      ),
      mend: expect.stringContaining('deliveryId'),
    });
  });
});

describe('a message that is changed before it is answered', () => {
  /** Holds the answer to the first message, so that the second one waits. */
  async function behindAnother() {
    const gate = Promise.withResolvers<void>();
    script = async function* (turn) {
      if (turn.message.text === 'first') await gate.promise;
      yield* say(`re: ${turn.message.text}`);
    };
    const { slack } = service();
    const user = `U${String(++number).padStart(4, '0')}`;
    const { channel } = await slack.say('T1', { user, text: 'first' });
    const { ts } = await slack.say('T1', { user, text: 'secnod' });
    return { slack, channel, ts, go: () => gate.resolve() };
  }

  test('is answered as it was edited', async () => {
    const { slack, channel, ts, go } = await behindAnother();
    await slack.edit('T1', { channel, ts, text: 'second' });
    go();
    expect(await postsOf(slack, 'T1', channel, { count: 2 })).toEqual(['re: first', 're: second']);
  });

  test('is not answered if it was deleted', async () => {
    const { slack, channel, ts, go } = await behindAnother();
    await slack.deleteMessage('T1', { channel, ts });
    go();
    await postsOf(slack, 'T1', channel);
    await slack.say('T1', { user: slack.messages('T1', channel)[0]?.user ?? '', text: 'third' });
    expect(await postsOf(slack, 'T1', channel, { count: 2 })).toEqual(['re: first', 're: third']);
  });
});
