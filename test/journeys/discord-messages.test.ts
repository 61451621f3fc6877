import { afterEach, describe, expect, test } from 'vitest';
import { guildId, postsIn, sharedAppId, sharedDiscordService } from '../support/a-discord-service.ts';
import { eventually } from '../support/eventually.ts';

const service = sharedDiscordService();
const mention = (text: string) => `<@${sharedAppId}> ${text}`;
const aChannel = () => service().discord.addChannel(guildId);

afterEach(() => expect(service().discord.violations).toEqual([]));

const messagesWith = async (text: string) =>
  (await service().rows()).messages.filter((message) => message.text.includes(text));

describe('a message that mentions the bot', () => {
  test('is answered in a thread of its own, which has the words of the question', async () => {
    const { discord } = service();
    const said = discord.say(aChannel(), { user: '7', text: mention('hello there') });
    expect(await postsIn(discord, said.id)).toEqual(['hello there']);
    const [made] = discord.callsOf('POST', new RegExp(`/messages/${said.id}/threads$`));
    expect(made?.body).toMatchObject({ name: 'hello there' });
  });

  test('begins a thread in which everything is answered, in order', async () => {
    const { discord } = service();
    const said = discord.say(aChannel(), { user: '7', text: mention('first') });
    await postsIn(discord, said.id);
    const more = Array.from({ length: 10 }, (_, index) => `more ${index}`);
    for (const text of more) discord.say(said.id, { user: '8', text });
    expect(await postsIn(discord, said.id, 11)).toEqual(['first', ...more]);
  });

  test('by the bot’s own role, and a reply to what the bot said, are said to it as well', async () => {
    const { discord } = service();
    const [role = ''] = [...(discord.guild(guildId).bots.values() ?? [])].map(({ roleId }) => roleId);
    const byRole = discord.say(aChannel(), { user: '7', text: `<@&${role}> by role` });
    expect(await postsIn(discord, byRole.id)).toEqual(['by role']);
    const channel = aChannel();
    const [command] = [await discord.command(sharedAppId, channel, '7', 'ask', { question: 'who are you?' })];
    expect(command?.type).toBe(5);
    await postsIn(discord, channel);
    const [post] = discord.posts(channel);
    const reply = discord.say(channel, { user: '7', text: 'go on', replyTo: post?.id ?? '' });
    expect(await postsIn(discord, reply.id)).toEqual(['go on']);
  });

  test('is answered once when Discord tells of it five times', async () => {
    const { discord } = service();
    const channel = aChannel();
    const said = discord.say(channel, { user: '7', text: mention('again and again') });
    for (let times = 0; times < 4; times += 1) discord.repeat(said);
    expect(await postsIn(discord, said.id)).toEqual(['again and again']);
    expect(await messagesWith('again and again')).toHaveLength(2);
  });
});

describe('what is not for the bot', () => {
  test('is not kept: a message in a channel, a thread of others, another bot', async () => {
    const { discord } = service();
    const channel = aChannel();
    discord.say(channel, { user: '7', text: 'overheard' });
    const other = discord.addApp({ id: '666' });
    discord.say(channel, { user: other.id, text: mention('overheard, from a bot') });
    const end = discord.say(channel, { user: '7', text: mention('the end') });
    await postsIn(discord, end.id);
    expect(await messagesWith('overheard')).toEqual([]);
  });
});

describe('forums', () => {
  test('a post that mentions the bot is answered in the post, and so is what follows there', async () => {
    const { discord } = service();
    const forum = discord.addChannel(guildId, 15, 'help');
    const post = discord.post(forum, { user: '7', text: mention('how does it work?') });
    expect(await postsIn(discord, post.channelId)).toEqual(['how does it work?']);
    discord.say(post.channelId, { user: '7', text: 'and then?' });
    expect(await postsIn(discord, post.channelId, 2)).toEqual(['how does it work?', 'and then?']);
    expect(discord.callsOf('POST', new RegExp(`/messages/${post.id}/threads$`))).toEqual([]);
  });

  test('a mention in a thread of others is answered there', async () => {
    const { discord } = service();
    const forum = discord.addChannel(guildId, 15, 'help');
    const post = discord.post(forum, { user: '7', text: 'anybody?' });
    discord.say(post.channelId, { user: '8', text: mention('you perhaps') });
    expect(await postsIn(discord, post.channelId)).toEqual(['you perhaps']);
  });
});

describe('interactions', () => {
  test('a slash command is deferred, and its answer takes the place of that', async () => {
    const { discord } = service();
    const channel = aChannel();
    const told = await discord.command(sharedAppId, channel, '7', 'ask', { question: 'by command' });
    expect(told).toMatchObject({ status: 200, type: 5 });
    expect(await postsIn(discord, channel)).toEqual(['by command']);
    const [edit] = discord.callsOf('PATCH', /\/messages\/@original$/).slice(-1);
    expect(edit?.status).toBe(200);
  });

  test('a command without words opens a form, and what is written there is the question', async () => {
    const { discord } = service();
    const channel = aChannel();
    const form = await discord.command(sharedAppId, channel, '7', 'ask');
    expect(form.type).toBe(9);
    const sent = await discord.submit(sharedAppId, channel, '7', String(form.data['custom_id']), {
      question: 'in a form',
    });
    expect(sent.type).toBe(5);
    expect(await postsIn(discord, channel)).toEqual(['in a form']);
  });

  test('a message’s menu asks about that message', async () => {
    const { discord } = service();
    const channel = aChannel();
    const said = discord.say(channel, { user: '8', text: 'what somebody else said' });
    expect(await discord.messageCommand(sharedAppId, said, '7', 'Ask about this')).toMatchObject({ type: 5 });
    expect(await postsIn(discord, channel)).toEqual(['what somebody else said']);
  });

  test('autocompletion is answered with nothing to choose', async () => {
    const { discord } = service();
    const told = await discord.autocomplete(sharedAppId, aChannel(), '7', 'ask', 'wh');
    expect(told).toMatchObject({ type: 8, data: { choices: [] } });
  });

  test('the address is confirmed by a signed ping', async () => {
    expect(await service().discord.ping(sharedAppId)).toMatchObject({ status: 200, text: '{"type":1}' });
  });

  test('one that comes twice is answered once', async () => {
    const { discord } = service();
    const channel = aChannel();
    await discord.command(sharedAppId, channel, '7', 'ask', { question: 'once, please' });
    await discord.repeatInteraction();
    expect(await postsIn(discord, channel)).toEqual(['once, please']);
    expect(await messagesWith('once, please')).toHaveLength(2);
  });

  test('the commands are registered once, and those of others stay', async () => {
    const { discord } = service();
    await eventually(() => expect(discord.app(sharedAppId).commands).toHaveLength(3));
    const names = discord.app(sharedAppId).commands.map(({ name }) => name);
    expect(names).toEqual(['ask', 'Ask about this', 'server']);
  });

  test('the token of an interaction is kept sealed, and stands in no log', async () => {
    const { discord, app, logLines } = service();
    const channel = aChannel();
    await discord.command(sharedAppId, channel, '7', 'ask', { question: 'what about the token?' });
    await postsIn(discord, channel);
    const token = discord.lastInteraction()?.token ?? 'none';
    const stored = await messagesWith('what about the token?');
    expect(JSON.stringify(stored)).not.toContain(token);
    expect(JSON.stringify(logLines)).not.toContain(token);
    expect(JSON.stringify(logLines)).not.toContain(discord.app(sharedAppId).botToken);
    expect(app).toBeDefined();
  });
});

describe('changes', () => {
  test('an edit changes what was said; a preview that is added later is none', async () => {
    const { discord } = service();
    const said = discord.say(aChannel(), { user: '7', text: mention('a mistaek') });
    await postsIn(discord, said.id);
    discord.edit(said, mention('a mistake'));
    await eventually(async () => {
      const messages = (await messagesWith('a mistake')).filter(({ role }) => role === 'visitor');
      expect(messages.map(({ kind }) => kind).toSorted()).toEqual(['edit', 'message']);
    });
  });

  test('a deleted message loses its text', async () => {
    const { discord } = service();
    const said = discord.say(aChannel(), { user: '7', text: mention('unsaid') });
    await postsIn(discord, said.id);
    discord.remove(said);
    await eventually(async () =>
      expect((await messagesWith('unsaid')).filter(({ role }) => role === 'visitor')).toEqual([]),
    );
  });

  test('reactions to an answer name the answer: given, taken back and given again', async () => {
    const { discord } = service();
    const said = discord.say(aChannel(), { user: '7', text: mention('like it') });
    await postsIn(discord, said.id);
    // Nobody reacts within the milliseconds in which the answer's id is recorded.
    await eventually(async () =>
      expect((await service().rows()).deliveries.every(({ state }) => state === 'sent')).toBe(true),
    );
    const [post] = discord.posts(said.id);
    const at = { id: post?.id ?? '', channelId: said.id };
    for (const added of [true, false, true]) discord.react(at, '7', '👍', added);
    await eventually(async () => {
      const { messages } = await service().rows();
      const answer = messages.find(({ text, role }) => text === 'like it' && role === 'agent');
      const reactions = messages.filter(
        ({ kind, target_message_id: of }) => kind === 'reaction' && of === answer?.id,
      );
      expect(reactions.map(({ content }) => content['added'])).toEqual([true, false, true]);
    });
  });
});

test('what a person quotes cannot call anybody, and shows no preview', async () => {
  const { discord } = service();
  const text = '@everyone @here <@7> <@&8> **bold** `x` https://evil.example # no heading';
  const said = discord.say(aChannel(), { user: '7', text: mention(text) });
  await eventually(() => expect(discord.channelExists(said.id) && discord.posts(said.id)).toHaveLength(1));
  const [post] = discord.posts(said.id);
  expect(post?.calls).toEqual([]);
  expect(post?.content).toContain('<https://evil.example/>');
  expect(post?.content).not.toMatch(/@everyone|@here/);
});
