import { afterEach, describe, expect, test } from 'vitest';
import { say, scriptedAgent } from '../fakes/scripted-agent.ts';
import { postsOf, sharedSlackService } from '../support/a-slack-service.ts';
import { eventually } from '../support/eventually.ts';
import { placeOf } from '../support/place-of.ts';

// Says what it was asked, and that it was asked.
const { agent } = scriptedAgent((turn) => say(`You asked: ${turn.message.text}`));
const service = sharedSlackService({ overrides: { wrapAgents: () => agent } });
afterEach(() => expect(service().slack.violations).toEqual([]));

let number = 0;
const aUser = () => `U${String(++number).padStart(4, '0')}`;

describe('a form', () => {
  test.each(['a command without words', 'a shortcut'])(
    'that %s opens asks a question, answered in direct messages',
    async (way) => {
      const { slack } = service();
      const user = aUser();
      slack.addUser('T1', user);
      if (way === 'a shortcut') await slack.shortcut('T1', { user, callbackId: 'ask' });
      else await slack.command('T1', { user, channel: 'C0001', command: '/ask' });
      const view = await eventually(() => {
        const seen = slack.views.find((one) => one.user === user && one.kind === 'modal');
        if (!seen) throw new Error('Nothing was opened.');
        return seen;
      });
      const values = { question: { question: { type: 'plain_text_input', value: `from ${way}` } } };
      const [delivery] = await slack.submitView('T1', { viewId: view.id, values });
      expect(delivery).toMatchObject({ status: 200, body: '' });
      expect(await postsOf(slack, 'T1', slack.directChannel('T1', user))).toEqual([`You asked: from ${way}`]);
    },
  );
});

test('the home tab says who answers and how', async () => {
  const { slack } = service();
  const user = aUser();
  await slack.openHome('T1', { user });
  const home = await eventually(() => {
    const seen = slack.views.find((one) => one.user === user && one.kind === 'home');
    if (!seen) throw new Error('Nothing was published.');
    return seen;
  });
  expect(JSON.stringify(home.view)).toContain('Assistant');
});

test('an assistant’s thread has suggestions, shows that somebody is at work, and is answered there', async () => {
  const { slack } = service();
  const user = aUser();
  const { channel, threadTs } = await slack.startAssistantThread('T1', { user });
  await eventually(() => {
    const thread = slack.assistantThreads.find((one) => one.threadTs === threadTs);
    expect(thread?.prompts.length).toBeGreaterThan(0);
  });
  await slack.say('T1', { user, channel, text: 'in the thread', threadTs });
  await eventually(() => {
    const answers = slack.thread('T1', channel, threadTs).map(({ finalText }) => finalText);
    expect(answers).toContain('You asked: in the thread');
  });
  const thread = slack.assistantThreads.find((one) => one.threadTs === threadTs);
  expect(thread?.statuses.length).toBeGreaterThan(0);
});

test('a button that is pressed is a question in the words of the button', async () => {
  const { slack, app } = service();
  const user = aUser();
  const channel = slack.directChannel('T1', user);
  const place = await placeOf(service(), 'slack');
  await app.sendMessage(place, {
    key: 'with buttons',
    conversationExternalId: `@${user}`,
    participantExternalId: user,
    role: 'agent',
    text: 'Shall I?',
    content: { buttons: [{ label: 'Yes, please', value: 'yes' }] },
  });
  await postsOf(slack, 'T1', channel);
  const [post] = slack.posts('T1', channel);
  await slack.click('T1', { user, channel, ts: post?.ts ?? '', actionId: 'swarmgate_button_0' });
  await eventually(async () => {
    const texts = slack.posts('T1', channel).map(({ finalText }) => finalText);
    expect(texts.at(-1)).toBe('You asked: Yes, please');
  });
});
