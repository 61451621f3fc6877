import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { done, type Script, say, scriptedAgent } from '../fakes/scripted-agent.ts';
import { guildId, postsIn, sharedAppId, sharedDiscordService } from '../support/a-discord-service.ts';
import { eventually } from '../support/eventually.ts';
import { placeOf } from '../support/place-of.ts';

let script: Script = () => say('');
const { agent } = scriptedAgent((...given) => script(...given));
const service = sharedDiscordService({ overrides: { wrapAgents: () => agent } });

const aChannel = () => service().discord.addChannel(guildId);
const roomy = { postsPerWindow: 1_000, globalPerSecond: 1_000 };

beforeEach(() => service().discord.changeLimits(roomy));
afterEach(() => {
  service().discord.mend();
  expect(service().discord.violations).toEqual([]);
});

/** Asks in a channel; the answer comes in the thread that is named as the question. */
const ask = (channel = aChannel()) =>
  service().discord.say(channel, { user: '7', text: `<@${sharedAppId}> tell me` }).id;

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
    await sleep(700);
  }
  yield done(pieces.join(''));
}

describe('an answer that takes its time', () => {
  test('grows in one post in the thread, and the bot is seen typing', async () => {
    script = () => slowly('One, ', 'two, ', 'three, ', 'four, ', 'five.');
    const { discord } = service();
    const channel = aChannel();
    const thread = ask(channel);
    await deliveryTo(thread);
    expect(await postsIn(discord, thread)).toEqual(['One, two, three, four, five.']);
    const [post] = discord.posts(thread);
    expect(post?.edits).toBeGreaterThan(1);
    expect(discord.callsOf('POST', new RegExp(`^/channels/${thread}/messages$`))).toHaveLength(1);
    expect(
      discord.callsOf('POST', new RegExp(`^/channels/(${thread}|${channel})/typing$`)).length,
    ).toBeGreaterThan(0);
  });

  test('to a command grows in the place of the command', async () => {
    script = () => slowly('Six, ', 'seven, ', 'eight, ', 'nine.');
    const { discord } = service();
    const channel = aChannel();
    await discord.command(sharedAppId, channel, '7', 'ask', { question: 'count on' });
    await deliveryTo(channel);
    expect(await postsIn(discord, channel)).toEqual(['Six, seven, eight, nine.']);
    expect(discord.posts(channel)[0]?.edits).toBeGreaterThan(1);
  });

  test('arrives whole although Discord takes no edits while it is written', async () => {
    script = () => slowly('After ', 'the ', 'storm, ', 'the calm.');
    const { discord } = service();
    discord.fail('PATCH', /^\/channels\/\d+\/messages\/\d+$/, { kind: 'status', status: 500, times: 3 });
    const thread = ask();
    await deliveryTo(thread);
    expect(await postsIn(discord, thread)).toEqual(['After the storm, the calm.']);
  });

  test('keeps Discord’s own pace: no call is refused for coming too often', async () => {
    script = () => slowly('a ', 'b ', 'c ', 'd ', 'e ', 'f.');
    const { discord } = service();
    discord.changeLimits({ postsPerWindow: 5, windowMs: 5_000, globalPerSecond: 50 });
    const before = discord.rateLimited();
    const threads = [ask(), ask(), ask()];
    for (const thread of threads) await deliveryTo(thread);
    for (const thread of threads) expect(await postsIn(discord, thread)).toEqual(['a b c d e f.']);
    expect(discord.rateLimited() - before).toBe(0);
  });
});

describe('a long answer', () => {
  const lines = (from: number) =>
    Array.from({ length: 60 }, (_, i) => `const value${from + i} = compute(${from + i});`);
  const code = [lines(0), lines(60), lines(120)];
  const prose = (topic: string) => `About ${topic}. `.repeat(100).trim();
  const answer = code
    .map(
      (block, index) =>
        `## Part ${index + 1}\n\n${prose(`part ${index + 1}`)}\n\n\`\`\`ts\n${block.join('\n')}\n\`\`\``,
    )
    .join('\n\n');

  test('arrives whole, in parts of 2,000 characters, each code block closed; all ids are kept', async () => {
    expect(answer.length).toBeGreaterThan(8_000);
    script = () => say(answer);
    const { discord } = service();
    const thread = ask();
    const delivery = await deliveryTo(thread);
    const posts = discord.posts(thread);
    expect(posts.length).toBeGreaterThan(4);
    expect(delivery?.external_ids).toEqual(posts.map(({ id }) => `${thread}/${id}`));
    const text = posts.map(({ content }) => content).join('\n');
    for (const line of code.flat()) expect(text.split(line)).toHaveLength(2);
    for (const { content } of posts) expect((content.match(/```/g) ?? []).length % 2).toBe(0);
    for (const topic of ['part 1', 'part 2', 'part 3'])
      expect(text.split(`About ${topic}.`)).toHaveLength(101);
  });

  test('to a command arrives whole as well', async () => {
    script = () => say(answer);
    const { discord } = service();
    const channel = aChannel();
    await discord.command(sharedAppId, channel, '7', 'ask', { question: 'at length' });
    const delivery = await deliveryTo(channel);
    const posts = discord.posts(channel);
    expect(delivery?.external_ids).toEqual(posts.map(({ id }) => `${channel}/${id}`));
    const text = posts.map(({ content }) => content).join('\n');
    for (const line of code.flat()) expect(text.split(line)).toHaveLength(2);
  });

  test('whose second part is refused for a while goes on where it stopped', async () => {
    script = () => say(answer);
    const { discord } = service();
    const isPost = /^\/channels\/\d+\/messages$/;
    discord.fail('POST', isPost, { kind: 'status', status: 503, skip: 1, times: 2 });
    const thread = ask();
    await deliveryTo(thread);
    const texts = discord.posts(thread).map(({ content }) => content);
    expect(new Set(texts).size).toBe(texts.length);
    for (const line of code.flat()) expect(texts.join('\n').split(line)).toHaveLength(2);
  });
});

describe('a post that Discord took without saying so', () => {
  test.each(['answer_lost', 'drop'] as const)('is there once (%s)', async (kind) => {
    script = () => say('Only once.');
    const { discord } = service();
    discord.fail('POST', /^\/channels\/\d+\/messages$/, { kind, times: 1 });
    const thread = ask();
    const delivery = await deliveryTo(thread);
    expect(await postsIn(discord, thread)).toEqual(['Only once.']);
    const { events } = await service().rows();
    expect(
      events.filter(
        ({ kind: of, subject }) => of === 'delivery.doubled' && subject['deliveryId'] === delivery?.id,
      ),
    ).toEqual([]);
  });
});

test('what can be pressed and what an answer rests on stand below it, and pressing says so', async () => {
  script = async function* ({ message }) {
    yield { kind: 'text', delta: `re: ${message.text}` };
    const sources = [
      { title: 'The *handbook*', url: 'https://docs.example/book', documentId: '', passage: '' },
    ];
    yield { ...done(`re: ${message.text}`), sources } as never;
  };
  const { discord, app } = service();
  const thread = ask();
  await deliveryTo(thread);
  const [post] = discord.posts(thread);
  expect(JSON.stringify(post?.embeds)).toContain('https://docs.example/book');
  expect(JSON.stringify(post?.embeds)).toContain('The \\\\*handbook\\\\*');

  const at = await placeOf(service(), 'discord');
  const buttons = [
    { label: 'Yes, please', value: 'yes' },
    { label: 'No', value: 'no' },
  ];
  await app.sendMessage(at, {
    ...{ key: 'buttons', conversationExternalId: thread, participantExternalId: '7', role: 'agent' },
    ...{ text: 'More?', content: { buttons } },
  });
  await postsIn(discord, thread, 2);
  const withButtons = discord.posts(thread)[1];
  const [row] = (withButtons?.components ?? []) as { components: { custom_id: string }[] }[];
  const pressed = { id: withButtons?.id ?? '', channelId: thread };
  const told = await discord.press(sharedAppId, pressed, '8', row?.components[0]?.custom_id ?? '');
  expect(told.type).toBe(5);
  expect((await postsIn(discord, thread, 3))[2]).toBe('re: Yes, please');
  const { messages } = await service().rows();
  expect(messages.find(({ kind }) => kind === 'action')?.content).toMatchObject({ action: { value: 'yes' } });
});

test('an interaction whose token has run out is answered by the bot itself', async () => {
  const gate = Promise.withResolvers<void>();
  script = async function* () {
    await gate.promise;
    yield* say('At last.');
  };
  const { discord } = service();
  const channel = aChannel();
  await discord.command(sharedAppId, channel, '7', 'ask', { question: 'take your time' });
  discord.fail('PATCH', /\/messages\/@original$/, { kind: 'status', status: 401, code: 50_027, times: 10 });
  gate.resolve();
  await deliveryTo(channel);
  const written = discord.posts(channel).filter(({ loading }) => !loading);
  expect(written.map(({ content }) => content)).toEqual(['At last.']);
});

test('where no thread can be made, the answer is a reply in the channel', async () => {
  script = () => say('Here, then.');
  const { discord } = service();
  const channel = aChannel();
  discord.fail('POST', /\/threads$/, { kind: 'status', status: 403, code: 50_013 });
  const asked = ask(channel);
  expect(await postsIn(discord, channel)).toEqual(['Here, then.']);
  expect(discord.posts(channel)[0]?.replyTo).toBe(asked);
});

describe('a message that is changed before it is answered', () => {
  test('is answered as it was edited, and not at all if it was deleted', async () => {
    const gate = Promise.withResolvers<void>();
    script = async function* (turn) {
      if (turn.message.text === 'tell me') await gate.promise;
      yield* say(`re: ${turn.message.text}`);
    };
    const { discord } = service();
    const thread = ask();
    await eventually(async () =>
      expect((await service().rows()).turns.some(({ state }) => state === 'running')).toBe(true),
    );
    discord.openThread(thread);
    const edited = discord.say(thread, { user: '7', text: 'secnod' });
    const deleted = discord.say(thread, { user: '7', text: 'never mind' });
    await eventually(async () =>
      expect((await service().rows()).messages.filter(({ text }) => text === 'never mind')).toHaveLength(1),
    );
    discord.edit(edited, 'second');
    discord.remove(deleted);
    await eventually(async () =>
      expect((await service().rows()).messages.filter(({ text }) => text === 'never mind')).toHaveLength(0),
    );
    gate.resolve();
    expect(await postsIn(discord, thread, 2)).toEqual(['re: tell me', 're: second']);
  });
});
