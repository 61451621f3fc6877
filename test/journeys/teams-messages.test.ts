import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { answersIn, contoso, sharedBot, sharedTeamsService } from '../support/a-teams-service.ts';

const service = sharedTeamsService();
const bot = sharedBot.appId;

let number = 0;
const aUser = () => `29:user-${++number}`;
const inContoso = (user: string, conversation?: string) => ({
  tenant: contoso,
  user,
  ...(conversation !== undefined && { conversation }),
});

function aGroup(scope: 'groupChat' | 'channel'): string {
  const { teams } = service();
  const { id } = teams.addConversation({ tenant: contoso, scope });
  teams.join(bot, id);
  return id;
}

/** What the database has of everything that came by Teams. */
const rowsWith = async (text: string) => {
  const { messages, turns } = await service().rows();
  const questions = messages.filter((message) => message.text === text && message.role === 'visitor');
  return { questions, turns: turns.filter(({ message_id: id }) => questions.some((one) => one.id === id)) };
};

afterEach(() => expect(service().teams.violations).toEqual([]));

describe('a personal chat', () => {
  test('is answered without a mention', async () => {
    const { teams } = service();
    const said = await teams.say(bot, { ...inContoso(aUser()), text: 'just us' });
    expect(said.deliveries.map(({ status }) => status)).toEqual([200]);
    expect(await answersIn(teams, said.conversation)).toEqual(['just us']);
  });

  test('is answered once when Teams sends the same activity three times', async () => {
    const { teams } = service();
    const said = await teams.say(bot, { ...inContoso(aUser()), text: 'thrice', repeat: 3 });
    expect(said.deliveries.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(await answersIn(teams, said.conversation)).toEqual(['thrice']);
    await sleep(200);
    expect(teams.posts(said.conversation)).toHaveLength(1);
    const { questions, turns } = await rowsWith('thrice');
    expect([questions.length, turns.length]).toEqual([1, 1]);
  });

  test('twelve quick messages are answered in order, at the pace that Teams takes', async () => {
    const { teams } = service();
    const user = aUser();
    const texts = Array.from({ length: 12 }, (_, index) => `quick ${index + 1}`);
    let conversation = '';
    for (const text of texts) ({ conversation } = await teams.say(bot, { ...inContoso(user), text }));
    expect(await answersIn(teams, conversation, 12)).toEqual(texts);
  });

  test('shows that an answer is being written', async () => {
    const { teams } = service();
    const { conversation } = await teams.say(bot, { ...inContoso(aUser()), text: 'typing?' });
    await answersIn(teams, conversation);
    const typing = teams.calls.filter(
      (call) => call.conversationId === conversation && call.activity['type'] === 'typing',
    );
    expect(typing).toHaveLength(1);
  });
});

describe('a group chat', () => {
  test('is answered where the bot is mentioned, and nothing else of it is kept', async () => {
    const { teams } = service();
    const group = aGroup('groupChat');
    await teams.say(bot, { ...inContoso(aUser(), group), text: 'overheard' });
    await teams.say(bot, { ...inContoso(aUser(), group), text: 'hello', mention: true });
    expect(await answersIn(teams, group)).toEqual(['hello']);
    expect((await rowsWith('overheard')).questions).toEqual([]);
  });
});

describe('a channel', () => {
  test('is answered in the thread of what was asked, and then every message of that thread is', async () => {
    const { teams } = service();
    const channel = aGroup('channel');
    const said = await teams.say(bot, { ...inContoso(aUser(), channel), text: 'hello', mention: true });
    expect(said.conversation).toBe(`${channel};messageid=${said.id}`);
    expect(await answersIn(teams, said.conversation)).toEqual(['hello']);
    await teams.say(bot, { ...inContoso(aUser(), said.conversation), text: 'and another' });
    expect(await answersIn(teams, said.conversation, 2)).toEqual(['hello', 'and another']);
    expect(teams.posts(channel).every(({ address }) => address === said.conversation)).toBe(true);
  });

  test('keeps nothing of what is said to others: outside threads, and in threads of others', async () => {
    const { teams } = service();
    const channel = aGroup('channel');
    const { conversation } = await teams.say(bot, { ...inContoso(aUser(), channel), text: 'to all' });
    await teams.say(bot, { ...inContoso(aUser(), conversation), text: 'a reply' });
    await teams.say(bot, { ...inContoso(aUser(), channel), text: 'the end', mention: true });
    await answersIn(teams, channel);
    for (const text of ['to all', 'a reply']) expect((await rowsWith(text)).questions).toEqual([]);
  });

  test('a bot that mentions ours is not answered', async () => {
    const { teams } = service();
    const channel = aGroup('channel');
    const place = inContoso('28:99999999-2222-3333-4444-555555555555', channel);
    const { deliveries } = await teams.say(bot, { ...place, text: 'bot to bot', mention: true });
    expect(deliveries[0]?.status).toBe(200);
    expect((await rowsWith('bot to bot')).questions).toEqual([]);
  });
});

describe('changes', () => {
  test('an edit changes what was said, and is kept as a row of its own', async () => {
    const { teams } = service();
    const user = aUser();
    const said = await teams.say(bot, { ...inContoso(user), text: 'a mistaek' });
    await answersIn(teams, said.conversation);
    await teams.edit(bot, inContoso(user), said.id, 'a mistake');
    expect((await rowsWith('a mistake')).questions.map(({ kind }) => kind).toSorted()).toEqual([
      'edit',
      'message',
    ]);
  });

  test('an edit in a thread finds its message', async () => {
    const { teams } = service();
    const user = aUser();
    const channel = aGroup('channel');
    const said = await teams.say(bot, { ...inContoso(user, channel), text: 'in a thraed', mention: true });
    await answersIn(teams, said.conversation);
    await teams.edit(bot, inContoso(user, said.conversation), said.id, 'in a thread');
    expect((await rowsWith('in a thread')).questions).toHaveLength(2);
  });

  test('a deleted message loses its text', async () => {
    const { teams } = service();
    const user = aUser();
    const said = await teams.say(bot, { ...inContoso(user), text: 'unsaid' });
    await answersIn(teams, said.conversation);
    await teams.remove(bot, inContoso(user), said.id);
    expect((await rowsWith('unsaid')).questions).toEqual([]);
  });

  test('a reaction to an answer names the answer, and is taken back', async () => {
    const { teams } = service();
    const user = aUser();
    const said = await teams.say(bot, { ...inContoso(user), text: 'like it' });
    await answersIn(teams, said.conversation);
    const [post] = teams.posts(said.conversation);
    await teams.react(bot, inContoso(user), post?.id ?? '', 'heart');
    await teams.react(bot, inContoso(user), post?.id ?? '', 'heart', false);
    const { messages } = await service().rows();
    const answer = messages.find(({ text, role }) => text === 'like it' && role === 'agent');
    const reactions = messages.filter(
      ({ kind, target_message_id: id }) => kind === 'reaction' && id === answer?.id,
    );
    expect(reactions.map(({ text, content }) => [text, content['added']])).toEqual([
      ['heart', true],
      ['heart', false],
    ]);
  });
});

test('activities and invokes of kinds that nobody knows are acknowledged, and noted', async () => {
  const { teams, logLines } = service();
  const before = logLines.length;
  const place = inContoso(aUser());
  const told = await teams.tell(bot, teams.activity(bot, place, { type: 'skyFell', id: 'f:1' }));
  const invoked = await teams.invoke(bot, place, 'composeExtension/query', {});
  expect([told.status, invoked.status, invoked.body]).toEqual([200, 200, '{}']);
  const notes = logLines.slice(before).filter(({ msg }) => msg === 'a platform event was ignored');
  expect(notes.map(({ reason }) => reason)).toEqual(['skyFell', 'invoke/composeExtension/query']);
});

test('what a person quotes can call nobody and is no format', async () => {
  const { teams } = service();
  const text = '<at>Everyone</at> *bold* [home](https://evil.example) <b>x</b> &lt;';
  const { conversation } = await teams.say(bot, { ...inContoso(aUser()), text });
  const [answer = ''] = await answersIn(teams, conversation);
  expect(answer).not.toContain('<');
  expect(answer).toContain('&lt;at&gt;Everyone&lt;/at&gt;');
});
