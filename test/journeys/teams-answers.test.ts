import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { done, type Script, say, scriptedAgent } from '../fakes/scripted-agent.ts';
import { answersIn, contoso, sharedBot, sharedTeamsService } from '../support/a-teams-service.ts';
import { eventually } from '../support/eventually.ts';
import { offerFile } from '../support/offer-file.ts';
import { placeOf } from '../support/place-of.ts';

let script: Script = () => say('');
const { agent } = scriptedAgent((...given) => script(...given));
const service = sharedTeamsService({ overrides: { wrapAgents: () => agent } });
const bot = sharedBot.appId;

let number = 0;
const aUser = () => `29:person-${++number}`;

afterEach(() => {
  service().teams.mend();
  expect(service().teams.violations).toEqual([]);
});

/** Somebody asks in a chat of their own; answers the chat. */
async function ask(user = aUser()): Promise<{ user: string; conversation: string }> {
  const { conversation } = await service().teams.say(bot, { tenant: contoso, user, text: 'tell me' });
  return { user, conversation };
}

const callsTo = (conversation: string) =>
  service().teams.calls.filter((call) => call.conversationId === conversation);
const streamed = (conversation: string) =>
  callsTo(conversation).filter(({ activity }) =>
    JSON.stringify(activity['entities'] ?? '').includes('streaming'),
  );

/** Pieces far enough from each other that they are shown one by one. */
async function* slowly(...pieces: string[]) {
  for (const delta of pieces) {
    yield { kind: 'text' as const, delta };
    await sleep(900);
  }
  yield done(pieces.join(''));
}

describe('an answer that takes its time', () => {
  test('grows in one message in a chat with one person, by Teams’ own streaming', async () => {
    script = () => slowly('One, ', 'two, ', 'three, ', 'four, ', 'five, ', 'six.');
    const { conversation } = await ask();
    await eventually(async () =>
      expect(await answersIn(service().teams, conversation)).toEqual(['One, two, three, four, five, six.']),
    );
    expect(streamed(conversation).length).toBeGreaterThan(1);
    const [post] = service().teams.posts(conversation);
    expect(post?.versions.length).toBeGreaterThan(2);
    // The end of the stream said it all: nothing was edited afterwards.
    expect(callsTo(conversation).filter(({ method }) => method === 'PUT')).toEqual([]);
    const { events } = await service().rows();
    expect(events.filter(({ kind }) => kind === 'delivery.doubled')).toEqual([]);
  });

  test('is corrected where its formatting was not to be seen before the end', async () => {
    script = () => slowly('Some **bo', 'ld** words', ' and ', 'more.');
    const { conversation } = await ask();
    await eventually(async () =>
      expect(await answersIn(service().teams, conversation)).toEqual(['Some **bold** words and more.']),
    );
    expect(service().teams.posts(conversation)).toHaveLength(1);
  });

  test('comes whole, once, where Teams ends the stream before its time', async () => {
    script = () => slowly('One, ', 'two, ', 'three, ', 'four.');
    const { teams } = service();
    const { conversation } = await ask();
    await eventually(() => expect(streamed(conversation).length).toBeGreaterThan(0));
    teams.expireStreams();
    await eventually(async () =>
      expect(await answersIn(teams, conversation)).toEqual(['One, two, three, four.']),
    );
  });

  test('comes as a message of its own where Teams refuses to stream', async () => {
    script = () => slowly('One, ', 'two.');
    const { teams } = service();
    teams.fail({
      ...{ kind: 'status', status: 403, code: 'ContentStreamNotAllowed', times: 5 },
      where: ({ activity }) => activity['type'] === 'typing' && activity['text'] !== undefined,
    });
    const { conversation } = await ask();
    expect(await answersIn(teams, conversation)).toEqual(['One, two.']);
    // Teams has said no: there can be no draft beside it.
    const delivery = await eventually(async () => {
      const found = (await service().rows()).deliveries.find(({ external_ids: ids }) =>
        ids[0]?.startsWith(`${conversation}/`),
      );
      expect(found?.state).toBe('sent');
      return found;
    });
    const { events } = await service().rows();
    const doubled = events.filter(({ kind }) => kind === 'delivery.doubled');
    expect(doubled.map(({ subject }) => subject['deliveryId'])).not.toContain(delivery?.id);
  });

  test('is not streamed to a group', async () => {
    script = () => slowly('One, ', 'two, ', 'three.');
    const { teams } = service();
    const { id: group } = teams.addConversation({ tenant: contoso, scope: 'groupChat' });
    teams.join(bot, group);
    await teams.say(bot, { tenant: contoso, user: aUser(), conversation: group, text: 'go', mention: true });
    expect(await answersIn(teams, group)).toEqual(['One, two, three.']);
    expect(streamed(group)).toEqual([]);
  });
});

describe('a long answer', () => {
  test('of 60,000 characters arrives whole, in messages that Teams takes', async () => {
    const paragraphs = Array.from(
      { length: 600 },
      (_, index) => `Paragraph ${index} <${'word '.repeat(18)}>.`,
    );
    script = () => say(paragraphs.join('\n\n'));
    const { teams } = service();
    const { conversation } = await ask();
    const texts = await eventually(async () => {
      const posts = teams.posts(conversation);
      const found = posts.map(({ text }) => text).join('\n\n');
      expect(found).toContain('Paragraph 599 ');
      return posts.map(({ text }) => text);
    });
    expect(texts.length).toBeGreaterThan(2);
    for (const index of [0, 1, 299, 300, 598, 599])
      expect(texts.join('\n').split(`Paragraph ${index} `)).toHaveLength(2);
    // The last part is recorded with the outcome.
    await eventually(async () => {
      const { deliveries } = await service().rows();
      const delivery = deliveries.find(({ external_ids: ids }) => ids[0]?.startsWith(`${conversation}/`));
      expect(delivery?.external_ids).toHaveLength(texts.length);
    });
  });
});

describe('Teams that is busy', () => {
  test.each([429, 412, 502, 504])('with %s is tried again until it takes the answer', async (status) => {
    script = () => say(`after ${status}`);
    const { teams } = service();
    const user = aUser();
    const { id: conversation } = teams.direct(bot, contoso, user);
    teams.fail({
      ...{ kind: 'status', status, code: 'Busy', times: 2 },
      where: (call) => call.conversationId === conversation && call.activity['type'] === 'message',
    });
    await ask(user);
    expect(await answersIn(teams, conversation)).toEqual([`after ${status}`]);
    const sent = callsTo(conversation).filter(({ activity }) => activity['type'] === 'message');
    expect(sent.map((call) => call.status)).toEqual([status, status, 201]);
  });

  test('waits for as long as Teams asks', async () => {
    script = () => say('patience');
    const { teams } = service();
    const user = aUser();
    const { id: conversation } = teams.direct(bot, contoso, user);
    teams.fail({
      ...{ kind: 'status', status: 429, retryAfterSeconds: 3 },
      where: (call) => call.conversationId === conversation && call.activity['type'] === 'message',
    });
    const startedAt = performance.now();
    await ask(user);
    await answersIn(teams, conversation);
    expect(performance.now() - startedAt).toBeGreaterThan(3_000);
  });

  test('that took a message without saying so gets it again, and that is counted', async () => {
    script = () => say('perhaps twice');
    const { teams } = service();
    const user = aUser();
    const { id: conversation } = teams.direct(bot, contoso, user);
    teams.fail({
      kind: 'answer_lost',
      where: (call) => call.conversationId === conversation && call.activity['type'] === 'message',
    });
    await ask(user);
    await eventually(() => expect(teams.posts(conversation)).toHaveLength(2));
    await eventually(async () => {
      const { events, deliveries } = await service().rows();
      const delivery = deliveries.find(({ external_ids: ids }) => ids[0]?.startsWith(`${conversation}/`));
      const doubled = events.filter(({ kind }) => kind === 'delivery.doubled');
      expect(doubled.map(({ subject }) => subject['deliveryId'])).toContain(delivery?.id);
    });
  });

  test('whose token has been revoked is asked again with a new one, at once', async () => {
    script = () => say('renewed');
    const { teams } = service();
    const { user, conversation } = await ask();
    await answersIn(teams, conversation);
    teams.revokeTokens(bot);
    await ask(user);
    expect(await answersIn(teams, conversation, 2)).toEqual(['renewed', 'renewed']);
    const accused = teams.violations.filter(
      ({ what }) => what !== 'a call came with a token that nobody was given',
    );
    expect(accused).toEqual([]);
    teams.forget();
  });
});

describe('cards', () => {
  test('show the buttons of an answer, and what is pressed is said and answered', async () => {
    script = (turn) => say(`you said ${turn.message.text} (${turn.message.text.length})`);
    const { teams, app } = service();
    const { user, conversation } = await ask();
    await answersIn(teams, conversation);
    await app.sendMessage(await placeOf(service(), 'teams'), {
      ...{ key: 'choose', conversationExternalId: `@${user}`, participantExternalId: user, role: 'agent' },
      ...{ text: 'Choose:', content: { buttons: [{ label: 'Yes, please', value: 'yes' }] } },
    });
    await answersIn(teams, conversation, 2);
    const post = teams.posts(conversation).at(-1);
    const [card] = (post?.activity['attachments'] ?? []) as {
      content: { body: { actions: Record<string, unknown>[] }[] };
    }[];
    const action = card?.content.body[0]?.actions[0];
    expect(action).toMatchObject({ type: 'Action.Execute', title: 'Yes, please' });
    const value = { action: { type: 'Action.Execute', verb: action?.['verb'], data: action?.['data'] } };
    const pressed = await teams.invoke(
      bot,
      { tenant: contoso, user },
      'adaptiveCard/action',
      value,
      post?.id,
    );
    expect(JSON.parse(pressed.body)).toEqual({
      ...{ statusCode: 200, type: 'application/vnd.microsoft.activity.message', value: 'Got it.' },
    });
    const [, , answer] = await answersIn(teams, conversation, 3);
    expect(answer).toContain('you said Yes, please');
    const { messages } = await service().rows();
    const said = messages.find(({ kind }) => kind === 'action');
    expect(said?.content).toMatchObject({ teams: { action: { value: 'yes' }, replyToId: post?.id } });
  });

  test('a form that is opened is filled at once, and what is written into it is asked', async () => {
    script = (turn) => say(`about ${turn.message.text}`);
    const { teams } = service();
    const user = aUser();
    const { id: conversation } = teams.direct(bot, contoso, user);
    const place = { tenant: contoso, user };
    const opened = await teams.invoke(bot, place, 'task/fetch', { data: {} });
    const { task } = JSON.parse(opened.body) as {
      task: { type: string; value: { card: { content: object } } };
    };
    expect(task.type).toBe('continue');
    expect(JSON.stringify(task.value.card.content)).toContain('"id":"question"');
    const sent = await teams.invoke(bot, place, 'task/submit', { data: { question: 'opening hours' } });
    expect(JSON.parse(sent.body)).toMatchObject({ task: { type: 'message' } });
    expect(await answersIn(teams, conversation)).toEqual(['about opening hours']);
  });

  test('a question that is asked from where messages are written is answered in the person’s own chat', async () => {
    script = (turn) => say(`about ${turn.message.text}`);
    const { teams } = service();
    const user = aUser();
    const { id: group } = teams.addConversation({ tenant: contoso, scope: 'groupChat' });
    const place = { tenant: contoso, user, conversation: group };
    const opened = await teams.invoke(bot, place, 'composeExtension/fetchTask', { commandId: 'ask' });
    expect(JSON.parse(opened.body)).toMatchObject({ task: { type: 'continue' } });
    const data = { question: 'lunch' };
    await teams.invoke(bot, place, 'composeExtension/submitAction', { commandId: 'ask', data });
    expect(await answersIn(teams, teams.direct(bot, contoso, user).id)).toEqual(['about lunch']);
    expect(teams.posts(group)).toEqual([]);
  });

  test('nobody signs in here: what Teams asks of that is answered as Teams expects', async () => {
    const { teams } = service();
    const place = { tenant: contoso, user: aUser() };
    expect((await teams.invoke(bot, place, 'signin/verifyState', { state: '1' })).status).toBe(200);
    expect((await teams.invoke(bot, place, 'signin/tokenExchange', { token: 't' })).status).toBe(412);
  });
});

describe('files', () => {
  test('are offered in a chat with one person, and put nowhere but at SharePoint', async () => {
    script = () => say('hello');
    const { teams, app } = service();
    const { user, conversation } = await ask();
    await answersIn(teams, conversation);
    const bytes = 'the report';
    await offerFile(app, { ...{ channel: 'teams', conversationExternalId: `@${user}`, user, bytes } });
    await answersIn(teams, conversation, 3);
    const [offer] = teams.posts(conversation).slice(-1);
    const [card] = (offer?.activity['attachments'] ?? []) as { content: { sizeInBytes: number } }[];
    expect(card?.content.sizeInBytes).toBe(10);
    // The stand-in is not SharePoint: nothing goes there unless the operator has said that it stands in.
    const taken = offer && (await teams.takeFile(bot, { tenant: contoso, user }, offer));
    expect(taken?.status).toBe(200);
    const texts = await answersIn(teams, conversation, 4);
    expect(texts.at(-1)).toContain('could not be handed over');
    expect(teams.uploads.asked()).toBe(0);
  });

  test('are links elsewhere', async () => {
    const { teams, app } = service();
    const { id: group } = teams.addConversation({ tenant: contoso, scope: 'groupChat' });
    await teams.install(bot, { tenant: contoso, user: aUser(), conversation: group });
    const at = await placeOf(service(), 'teams');
    const file = await app.files.put(at.tenantId, {
      ...{ name: 'plan.txt', contentType: 'text/plain', bytes: Buffer.from('the plan'), sizeBytesMax: 100 },
    });
    const attachments = [
      { fileId: file.id, name: file.name, contentType: file.contentType, sizeBytes: file.sizeBytes },
    ];
    await app.sendMessage(at, {
      ...{ key: 'link', conversationExternalId: group, participantExternalId: 'nobody', role: 'agent' },
      ...{ text: 'Here it is.', content: { attachments } },
    });
    const [text = ''] = await answersIn(teams, group);
    const [, link = ''] = /\[plan\.txt\]\((\S+)\)/.exec(text) ?? [];
    const path = new URL(link).pathname;
    expect(await (await fetch(`${service().url}${path}`)).text()).toBe('the plan');
  });
});

test('a person who has blocked the bot pauses that conversation, and nobody else’s', async () => {
  script = () => say('are you there?');
  const { teams } = service();
  const { user, conversation } = await ask();
  await answersIn(teams, conversation);
  teams.block(bot, conversation);
  await ask(user);
  await eventually(() => expect(callsTo(conversation).map(({ status }) => status)).toContain(403));
  await eventually(async () => {
    const { deliveries } = await service().rows();
    expect(deliveries.filter(({ error_code: code }) => code?.startsWith('gateway_not_now'))).toHaveLength(1);
  });
  const refused = callsTo(conversation).length;
  const other = await ask();
  expect(await answersIn(teams, other.conversation)).toEqual(['are you there?']);
  // Teams is not asked again as long as it stays so; the person comes back, and gets what has waited.
  await sleep(2_000);
  expect(callsTo(conversation).length).toBe(refused);
  teams.block(bot, conversation, false);
  await teams.install(bot, { tenant: contoso, user });
  await eventually(async () => expect(await answersIn(teams, conversation, 2)).toHaveLength(2), 55_000);
}, 100_000);

test('a group that takes nothing is not asked again and again, although nobody there was ever heard', async () => {
  script = () => say('hello');
  const { teams, app, rows } = service();
  const { id: group } = teams.addConversation({ tenant: contoso, scope: 'groupChat' });
  teams.join(bot, group);
  teams.block(bot, group);
  // The tenant is known by somebody else of it.
  const { conversation } = await ask();
  await answersIn(teams, conversation);
  await app.sendMessage(await placeOf(service(), 'teams'), {
    ...{ key: 'news', conversationExternalId: group, participantExternalId: 'nobody', role: 'agent' },
    text: 'news',
  });
  await eventually(() => expect(callsTo(group).map(({ status }) => status)).toEqual([403]));
  await sleep(4_000);
  expect(callsTo(group)).toHaveLength(1);
  const { deliveries } = await rows();
  const waiting = deliveries.filter(({ state }) => state === 'pending');
  expect(waiting.map(({ error_code: code }) => code)).toContain('gateway_not_now');

  teams.block(bot, group, false);
  await teams.install(bot, { tenant: contoso, user: aUser(), conversation: group });
  expect(await eventually(() => answersIn(teams, group), 55_000)).toEqual(['news']);
}, 100_000);
