import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { aServer } from '../../../../test/support/a-server.ts';
import { aSlackWorkspace, slackTexts } from '../../../../test/support/a-slack-workspace.ts';
import type { OpenChannel } from '../../gateway.ts';

const never = new AbortController().signal;

test('the home says who answers and how to write to it', async () => {
  await using workspace = await aSlackWorkspace();
  await workspace.gateway.open?.(
    workspace.channel,
    { kind: 'opening', view: 'home', details: { user: 'U1' } },
    never,
  );
  const [home] = workspace.slack.views;
  expect(home).toMatchObject({ kind: 'home', user: 'U1' });
  const shown = JSON.stringify(home?.view);
  for (const text of ['Ada', slackTexts.home.about('Ada'), ...slackTexts.home.ways])
    expect(shown).toContain(text);
});

test('an agent cannot call anybody by its name in the home', async () => {
  await using workspace = await aSlackWorkspace();
  const channel = {
    ...workspace.channel,
    agent: { name: '<!channel>', model: 'builtin/echo', settings: {} },
  };
  await workspace.gateway.open?.(channel, { kind: 'opening', view: 'home', details: { user: 'U1' } }, never);
  expect(JSON.stringify(workspace.slack.views)).not.toContain('mrkdwn');
});

test('the home of a channel without an agent says so', async () => {
  await using workspace = await aSlackWorkspace();
  const channel = { ...workspace.channel, agent: undefined };
  await workspace.gateway.open?.(channel, { kind: 'opening', view: 'home', details: { user: 'U1' } }, never);
  expect(JSON.stringify(workspace.slack.views[0]?.view)).toContain(slackTexts.home.nobody);
});

async function promptsOf(change: (channel: OpenChannel) => OpenChannel, details: object = {}) {
  await using workspace = await aSlackWorkspace();
  const { channel: at, threadTs } = await workspace.slack.startAssistantThread('T1', { user: 'U1' });
  const opening = {
    kind: 'opening',
    view: 'assistant',
    details: { channel: at, threadTs, ...details },
  } as const;
  await workspace.gateway.open?.(change(workspace.channel), opening, never);
  return workspace.slack.assistantThreads.map(({ prompts }) => prompts);
}

test('an assistant suggests what its agent is set up to suggest', async () => {
  const suggestions = ['Track my order', { title: 'Refund', message: 'I want my money back' }, 'c', 'd', 'e'];
  const set = (channel: OpenChannel): OpenChannel => ({
    ...channel,
    agent: { name: 'Ada', model: 'builtin/echo', settings: { suggestions } },
  });
  expect(await promptsOf(set)).toEqual([
    [
      { title: 'Track my order', message: 'Track my order' },
      { title: 'Refund', message: 'I want my money back' },
      { title: 'c', message: 'c' },
      { title: 'd', message: 'd' },
    ],
  ]);
});

test('an assistant without suggestions has our own, and none if the tenant wants none', async () => {
  expect(await promptsOf((channel) => channel)).toEqual([slackTexts.suggestions.prompts]);
  const none = (channel: OpenChannel) => ({ ...channel, settings: { ...channel.settings, suggestions: [] } });
  expect(await promptsOf(none)).toEqual([]);
});

test('an assistant that moves along with a person keeps its suggestions', async () => {
  expect(await promptsOf((channel) => channel, { changed: true })).toEqual([]);
});

test('a form for a question opens, with the message that it is about', async () => {
  const triggers: string[] = [];
  await using server = await aServer(async (request, response) => {
    triggers.push(new URLSearchParams(await text(request)).get('trigger_id') ?? '');
    response.end();
  });
  const commandsUrl = `${server.url}/`;
  await using workspace = await aSlackWorkspace({ app: { commandsUrl } });
  await workspace.slack.command('T1', { user: 'U1', channel: 'C1', command: '/ask' });
  const [triggerId = ''] = triggers;

  const details = { triggerId, user: 'U1', messageText: 'What was said'.repeat(300) };
  await workspace.gateway.open?.(workspace.channel, { kind: 'opening', view: 'question', details }, never);
  const [form] = workspace.slack.views;
  expect(form).toMatchObject({ kind: 'modal', user: 'U1', view: { callback_id: 'swarmgate_question' } });
  const [input] = (form?.view['blocks'] ?? []) as { block_id: string; element: Record<string, unknown> }[];
  expect(input).toMatchObject({
    block_id: 'question',
    element: { type: 'plain_text_input', action_id: 'question', multiline: true, max_length: 3_000 },
  });
  expect(input?.element['initial_value']).toHaveLength(3_000);
});
