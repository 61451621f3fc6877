import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { postsOf, sharedSlackService } from '../support/a-slack-service.ts';

const service = sharedSlackService();

let number = 0;
/** A channel, or a person, that no other test knows. */
const aChannel = () => `C${String(++number).padStart(4, '0')}`;
const aUser = () => `U${String(++number).padStart(4, '0')}`;
const mention = (text: string) => `<@${service().botUserId}> ${text}`;

afterEach(() => expect(service().slack.violations).toEqual([]));

/** What the database has of everything that came by Slack. */
const rowsWith = async (text: string) => {
  const { messages, turns, deliveries } = await service().rows();
  const ids = new Set(messages.filter((message) => message.text.includes(text)).map(({ id }) => id));
  return {
    questions: messages.filter(({ id, role }) => ids.has(id) && role === 'visitor'),
    turns: turns.filter(({ message_id: id }) => ids.has(id)),
    deliveries: deliveries.filter(({ message_id: id }) => ids.has(id)),
  };
};

describe('a message that mentions the bot', () => {
  test('is answered in its thread, once, although Slack tells of it twice', async () => {
    const { slack } = service();
    const channel = aChannel();
    const said = await slack.say('T1', { user: 'U1', channel, text: mention('twins') });
    expect(said.deliveries.map(({ status }) => status)).toEqual([200, 200]);
    expect(await postsOf(slack, 'T1', channel, { threadTs: said.ts })).toEqual(['twins']);
    const { questions, turns } = await rowsWith('twins');
    expect(questions).toHaveLength(1);
    expect(turns).toHaveLength(1);
  });

  test('is answered once when Slack repeats it three times under other event ids, and when the twins come the other way round', async () => {
    const { slack } = service();
    const channel = aChannel();
    const said = await slack.say('T1', {
      user: 'U1',
      channel,
      text: mention('again'),
      repeat: 4,
      newEventIds: true,
      reorder: true,
    });
    expect(said.deliveries.every(({ status }) => status === 200)).toBe(true);
    expect(said.deliveries).toHaveLength(8);
    expect(await postsOf(slack, 'T1', channel, { threadTs: said.ts })).toEqual(['again']);
    await sleep(200);
    expect(slack.posts('T1', channel)).toHaveLength(1);
  });

  test('begins a thread in which everything is answered', async () => {
    const { slack } = service();
    const channel = aChannel();
    const { ts } = await slack.say('T1', { user: 'U1', channel, text: mention('first') });
    await postsOf(slack, 'T1', channel, { threadTs: ts });
    await slack.say('T1', { user: 'U2', channel, text: 'second', threadTs: ts });
    expect(await postsOf(slack, 'T1', channel, { threadTs: ts, count: 2 })).toEqual(['first', 'second']);
  });
});

describe('what is not for the bot', () => {
  test('is not kept: a message in a channel, a reply in a thread of others, another bot', async () => {
    const { slack } = service();
    const channel = aChannel();
    const { ts } = await slack.say('T1', { user: 'U1', channel, text: 'overheard' });
    await slack.say('T1', { user: 'U2', channel, text: 'overheard too', threadTs: ts });
    await slack.say('T1', { user: 'U3', channel, text: mention('overheard, a bot'), botId: 'B9' });
    await slack.say('T1', { user: 'U1', channel, text: mention('the end') });
    await postsOf(slack, 'T1', channel);
    expect((await rowsWith('overheard')).questions).toEqual([]);
  });
});

describe('direct messages', () => {
  test('are answered without a mention', async () => {
    const { slack } = service();
    const said = await slack.say('T1', { user: aUser(), text: 'just us' });
    expect(await postsOf(slack, 'T1', said.channel)).toEqual(['just us']);
  });

  test('twenty quick ones are answered in order', async () => {
    const { slack } = service();
    const user = aUser();
    const texts = Array.from({ length: 20 }, (_, index) => `quick ${index + 1}`);
    let channel = '';
    for (const text of texts) ({ channel } = await slack.say('T1', { user, text }));
    expect(await postsOf(slack, 'T1', channel, { count: 20 })).toEqual(texts);
  });

  test('a question asked by command is answered there, and what follows is the same conversation', async () => {
    const { slack } = service();
    const user = aUser();
    const [delivery] = await slack.command('T1', {
      user,
      channel: aChannel(),
      command: '/ask',
      text: 'by command',
    });
    expect(delivery?.status).toBe(200);
    const channel = slack.directChannel('T1', user);
    expect(await postsOf(slack, 'T1', channel)).toEqual(['by command']);
    await slack.say('T1', { user, text: 'and by hand' });
    expect(await postsOf(slack, 'T1', channel, { count: 2 })).toEqual(['by command', 'and by hand']);
    const { questions } = await rowsWith('by ');
    const ours = questions.filter(({ text }) => ['by command', 'and by hand'].includes(text));
    expect(new Set(ours.map(({ conversation_id: id }) => id)).size).toBe(1);
  });
});

describe('changes', () => {
  test('an edit changes what was said, and is kept as a row of its own', async () => {
    const { slack } = service();
    const said = await slack.say('T1', { user: aUser(), text: 'a mistaek' });
    await postsOf(slack, 'T1', said.channel);
    await slack.edit('T1', { channel: said.channel, ts: said.ts, text: 'a mistake' });
    const { messages } = await service().rows();
    const edit = messages.find(({ text, role }) => text === 'a mistake' && role === 'visitor');
    expect(edit).toBeDefined();
    expect(messages.filter(({ text }) => text === 'a mistake')).toHaveLength(2);
  });

  test('a deleted message loses its text', async () => {
    const { slack } = service();
    const said = await slack.say('T1', { user: aUser(), text: 'unsaid' });
    await postsOf(slack, 'T1', said.channel);
    await slack.deleteMessage('T1', { channel: said.channel, ts: said.ts });
    const { messages } = await service().rows();
    expect(messages.filter(({ text, role }) => text === 'unsaid' && role === 'visitor')).toEqual([]);
  });

  test('a reaction to an answer names the answer', async () => {
    const { slack } = service();
    const said = await slack.say('T1', { user: aUser(), text: 'like it' });
    await postsOf(slack, 'T1', said.channel);
    const [post] = slack.posts('T1', said.channel);
    await slack.react('T1', { user: 'U1', channel: said.channel, ts: post?.ts ?? '', name: '+1' });
    const { messages } = await service().rows();
    const reaction = messages.find(({ text }) => text === '+1');
    const answer = messages.find(({ text, role }) => text === 'like it' && role === 'agent');
    expect(reaction).toMatchObject({
      target_message_id: answer?.id,
      kind: 'reaction',
      content: { added: true },
    });
  });
});

test('an event of a kind that nobody knows is acknowledged, and noted once', async () => {
  const { slack, logLines } = service();
  const before = logLines.length;
  const deliveries = await slack.raw('A1', {
    body: {
      type: 'event_callback',
      team_id: 'T1',
      api_app_id: 'A1',
      event: { type: 'sky_fell' },
      event_id: 'Ev9',
    },
  });
  expect(deliveries).toMatchObject({ status: 200 });
  const notes = logLines.slice(before).filter(({ msg }) => msg === 'a platform event was ignored');
  expect(notes).toHaveLength(1);
});

test('what a person quotes cannot call anybody', async () => {
  const { slack } = service();
  const text = '&lt;!channel&gt; @channel @here &lt;@U1&gt; *bold* &lt;https://evil.example|home&gt;';
  const said = await slack.say('T1', { user: aUser(), text });
  await postsOf(slack, 'T1', said.channel);
  const [post] = slack.posts('T1', said.channel);
  expect(post?.mentions).toEqual([]);
  expect(post?.finalText).toContain('<!channel>');
});
