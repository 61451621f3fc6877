import { ErrorCode, LogLevel, WebClient } from '@slack/web-api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { documentedPerMinute } from './limits.ts';
import { type SlackSimulator, type SlackSimulatorOptions, startSlackSimulator } from './simulator.ts';

let slack: SlackSimulator;

beforeEach(() => start());
afterEach(() => slack.close());

async function start(options: SlackSimulatorOptions = {}): Promise<void> {
  slack = await startSlackSimulator({ ...options });
  slack.addApp({ appId: 'A1', signingSecret: 'secret' });
}

async function restart(options: SlackSimulatorOptions): Promise<void> {
  await slack.close();
  await start(options);
}

/** A bot's client in a workspace with the channel C1 and the user U1, and its first message. */
async function bot(teamId = 'T1', appId = 'A1') {
  const { botToken, botUserId } = slack.install(appId, teamId);
  const { ts } = await slack.say(teamId, { user: 'U1', channel: 'C1', text: 'Hello' });
  return { client: clientOf(botToken), botToken, botUserId, ts };
}

function clientOf(token: string): WebClient {
  return new WebClient(token, {
    slackApiUrl: slack.apiUrl,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    logger: silent,
  });
}

const quiet = () => {};
const silent = {
  debug: quiet,
  info: quiet,
  warn: quiet,
  error: quiet,
  setLevel: quiet,
  setName: quiet,
  getLevel: () => LogLevel.ERROR,
};

/** The error that a call is refused with. */
async function errorOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'no error';
  } catch (error) {
    const { code, data } = error as { code: string; data?: { error: string } };
    return data?.error ?? code;
  }
}

test('a reply posted with the real client stands in its thread', async () => {
  const { client, ts, botUserId } = await bot();
  const posted = await client.chat.postMessage({ channel: 'C1', text: 'Hi', thread_ts: ts });

  expect(posted.message).toMatchObject({ text: 'Hi', thread_ts: ts, user: botUserId, parent_user_id: 'U1' });
  expect(slack.thread('T1', 'C1', ts).map(({ finalText }) => finalText)).toEqual(['Hello', 'Hi']);
  expect(slack.calls).toMatchObject([{ method: 'chat.postMessage', appId: 'A1', teamId: 'T1', status: 200 }]);
});

test('a bot is who its token says', async () => {
  const { client, botUserId } = await bot();
  expect(await client.auth.test()).toMatchObject({ team_id: 'T1', user_id: botUserId });
});

test('a token that is unknown, revoked, of a removed app or missing opens nothing', async () => {
  const { client, botToken } = await bot();
  expect(await errorOf(clientOf('xoxb-unknown').auth.test())).toBe('invalid_auth');
  expect(await errorOf(clientOf('').auth.test())).toBe('not_authed');
  slack.revokeToken(botToken);
  expect(await errorOf(client.auth.test())).toBe('token_revoked');

  const other = await bot('T2');
  slack.uninstall('A1', 'T2');
  expect(await errorOf(other.client.auth.test())).toBe('account_inactive');
});

test('a token in a JSON body counts for nothing', async () => {
  const { botToken } = await bot();
  const ask = async (headers: Record<string, string>, body: string) =>
    (await fetch(`${slack.apiUrl}auth.test`, { method: 'POST', headers, body })).json();
  const json = { 'content-type': 'application/json' };
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  expect(await ask(json, JSON.stringify({ token: botToken }))).toMatchObject({ error: 'not_authed' });
  expect(await ask(form, `token=${botToken}`)).toMatchObject({ ok: true });
  expect(await ask({ ...json, authorization: `Bearer ${botToken}` }, '{}')).toMatchObject({ ok: true });
  expect(JSON.stringify(slack.calls)).not.toContain(botToken);
});

test("a token used for another workspace's channel or message is refused and recorded", async () => {
  const first = await bot('T1');
  const second = await bot('T2');
  slack.addChannel('T2', { id: 'C2' });
  const { ts } = await second.client.chat.postMessage({ channel: 'C1', text: 'Secret' });

  expect(await errorOf(first.client.chat.postMessage({ channel: 'C2', text: 'Hi' }))).toBe(
    'channel_not_found',
  );
  expect(await errorOf(first.client.chat.update({ channel: 'C1', ts: ts ?? '', text: 'Hi' }))).toBe(
    'message_not_found',
  );
  expect(
    await errorOf(first.client.chat.postMessage({ channel: 'C1', text: 'Hi', thread_ts: second.ts })),
  ).toBe('thread_not_found');
  expect(slack.violations.map(({ method, teamId }) => [method, teamId])).toEqual([
    ['chat.postMessage', 'T1'],
    ['chat.update', 'T1'],
    ['chat.postMessage', 'T1'],
  ]);
});

test('a channel that is nowhere is not found, and nobody has done wrong', async () => {
  const { client } = await bot();
  expect(await errorOf(client.chat.postMessage({ channel: 'C9', text: 'Hi' }))).toBe('channel_not_found');
  expect(slack.violations).toEqual([]);
});

test('equal time stamps in two workspaces are two messages', async () => {
  const first = await bot('T1');
  const second = await bot('T2');
  for (const team of ['T1', 'T2'])
    await slack.say(team, { user: 'U1', channel: 'C1', text: `In ${team}`, ts: '1767224888.000100' });
  await first.client.chat.postMessage({ channel: 'C1', text: 'To one', thread_ts: '1767224888.000100' });
  await second.client.chat.postMessage({ channel: 'C1', text: 'To two', thread_ts: '1767224888.000100' });

  const texts = (team: string) => slack.thread(team, 'C1', '1767224888.000100').map(({ text }) => text);
  expect(texts('T1')).toEqual(['In T1', 'To one']);
  expect(texts('T2')).toEqual(['In T2', 'To two']);
  expect(slack.violations).toEqual([]);
});

test("an org-wide token reaches its enterprise's workspaces and no others", async () => {
  slack.addWorkspace({ teamId: 'T1', enterpriseId: 'E1' });
  slack.addWorkspace({ teamId: 'T2', enterpriseId: 'E1' });
  const { botToken } = slack.installEnterprise('A1', 'E1');
  slack.addChannel('T2', { id: 'C2' });
  slack.addChannel('T3', { id: 'C3' });
  const client = clientOf(botToken);
  await client.chat.postMessage({ channel: 'C2', text: 'Hi' });
  expect(await errorOf(client.chat.postMessage({ channel: 'C3', text: 'Hi' }))).toBe('channel_not_found');
  expect(slack.posts('T2', 'C2')).toHaveLength(1);
  expect(slack.violations).toHaveLength(1);
});

test('a bot posts where it is a member', async () => {
  const { client, botUserId } = await bot();
  slack.addChannel('T1', { id: 'C2', members: ['U1'] });
  slack.addChannel('T1', { id: 'G1', members: ['U1'] });
  slack.addChannel('T1', { id: 'G2', members: ['U1', botUserId] });
  expect(await errorOf(client.chat.postMessage({ channel: 'C2', text: 'Hi' }))).toBe('not_in_channel');
  expect(await errorOf(client.chat.postMessage({ channel: 'G1', text: 'Hi' }))).toBe('channel_not_found');
  expect(await errorOf(client.chat.postMessage({ channel: 'G2', text: 'Hi' }))).toBe('no error');
});

test('direct messages are opened, and are of one app only', async () => {
  slack.addApp({ appId: 'A2', signingSecret: 'other' });
  const { client } = await bot();
  const other = await bot('T1', 'A2');
  const opened = await client.conversations.open({ users: 'U1' });
  const again = await client.conversations.open({ users: 'U1' });
  const channel = opened.channel?.id ?? '';
  expect(again.channel?.id).toBe(channel);
  expect((await client.chat.postMessage({ channel: 'U1', text: 'Hi' })).channel).toBe(channel);
  expect(await errorOf(other.client.chat.postMessage({ channel, text: 'Hi' }))).toBe('channel_not_found');
  expect(slack.violations).toHaveLength(1);
  expect(await errorOf(client.conversations.open({ users: 'U404' }))).toBe('user_not_found');
});

test('a message says something, and no more than fits', async () => {
  await restart({ limits: { postsPerSecond: 1_000, postBurst: 1_000 } });
  const { client } = await bot();
  const post = (content: object) =>
    errorOf(client.apiCall('chat.postMessage', { channel: 'C1', ...content }));
  expect(await post({})).toBe('no_text');
  expect(await post({ text: '  ' })).toBe('no_text');
  expect(await post({ text: 'x'.repeat(4_001) })).toBe('msg_too_long');
  expect(await post({ text: 'x'.repeat(4_000) })).toBe('no error');
  expect(await post({ markdown_text: 'x'.repeat(12_001) })).toBe('msg_too_long');
  expect(await post({ markdown_text: 'x', text: 'x' })).toBe('markdown_text_conflict');
  expect(await post({ blocks: '[' })).toBe('invalid_blocks_format');
});

test('metadata has a type and a flat payload', async () => {
  await restart({ limits: { postsPerSecond: 1_000, postBurst: 1_000 } });
  const { client, ts } = await bot();
  const post = (metadata: unknown) =>
    errorOf(client.apiCall('chat.postMessage', { channel: 'C1', text: 'Hi', thread_ts: ts, metadata }));
  expect(await post({ event_type: 'reply' })).toBe('invalid_metadata_format');
  expect(await post({ event_payload: {} })).toBe('invalid_metadata_format');
  expect(await post({ event_type: 'reply', event_payload: { id: { a: 1 } } })).toBe(
    'invalid_metadata_schema',
  );
  expect(await post({ event_type: 'reply', event_payload: { id: 'd1' } })).toBe('no error');

  const bare = await client.conversations.replies({ channel: 'C1', ts });
  const whole = await client.conversations.replies({ channel: 'C1', ts, include_all_metadata: true });
  expect(bare.messages?.[1]?.metadata).toBeUndefined();
  expect(whole.messages?.[1]?.metadata).toEqual({ event_type: 'reply', event_payload: { id: 'd1' } });
});

test('a bot changes and deletes what it wrote itself', async () => {
  const { client, ts } = await bot();
  const posted = await client.chat.postMessage({ channel: 'C1', text: 'One' });
  const own = { channel: 'C1', ts: posted.ts ?? '' };
  expect(await errorOf(client.chat.update({ channel: 'C1', ts, text: 'Mine' }))).toBe('cant_update_message');
  expect(await errorOf(client.chat.delete({ channel: 'C1', ts }))).toBe('cant_delete_message');
  await client.chat.update({ ...own, text: 'Two &amp; three' });
  expect(slack.messages('T1', 'C1').at(-1)).toMatchObject({
    edits: ['Two & three'],
    finalText: 'Two & three',
    text: 'Two &amp; three',
  });
  await client.chat.delete(own);
  expect(slack.posts('T1', 'C1')).toEqual([]);
  expect(await errorOf(client.chat.update({ ...own, text: 'Three' }))).toBe('message_not_found');
});

test('text without blocks takes away the blocks that were there', async () => {
  const { client } = await bot();
  const blocks = [{ type: 'section', text: { type: 'mrkdwn', text: 'In blocks' } }];
  const { ts } = await client.chat.postMessage({ channel: 'C1', text: 'Fallback', blocks });
  expect(slack.posts('T1', 'C1')[0]?.finalText).toBe('In blocks');
  await client.chat.update({ channel: 'C1', ts: ts ?? '', text: 'Only text' });
  expect(slack.posts('T1', 'C1')[0]).toMatchObject({ finalText: 'Only text', blocks: undefined });
});

test('a streamed message grows, is closed once, and can be changed afterwards only', async () => {
  const { client, ts } = await bot();
  const where = { channel: 'C1', thread_ts: ts, recipient_user_id: 'U1', recipient_team_id: 'T1' };
  const started = await client.chat.startStream({ ...where, markdown_text: '**He' });
  const own = { channel: 'C1', ts: started.ts ?? '' };
  expect(await errorOf(client.chat.update({ ...own, text: 'No' }))).toBe('streaming_state_conflict');
  await client.chat.appendStream({ ...own, markdown_text: 'llo**' });
  expect(slack.posts('T1', 'C1', ts)[0]).toMatchObject({ streaming: true, finalText: '**Hello**' });
  await client.chat.stopStream({ ...own, markdown_text: '!' });
  expect(slack.posts('T1', 'C1', ts)[0]).toMatchObject({ streaming: false, finalText: '**Hello**!' });
  for (const call of [
    client.chat.appendStream({ ...own, markdown_text: 'more' }),
    client.chat.stopStream({ ...own }),
  ])
    expect(await errorOf(call)).toBe('message_not_in_streaming_state');
  await client.chat.update({ ...own, text: 'Final' });
  expect(slack.posts('T1', 'C1', ts)[0]).toMatchObject({
    finalText: 'Final',
    edits: expect.arrayContaining(['Final']),
  });
});

test("the SDK's own streamer works", async () => {
  const { client, ts } = await bot();
  const stream = client.chatStream({
    channel: 'C1',
    thread_ts: ts,
    recipient_user_id: 'U1',
    recipient_team_id: 'T1',
    buffer_size: 4,
  });
  for (const piece of ['One ', 'two ', 'three']) await stream.append({ markdown_text: piece });
  await stream.stop();
  expect(slack.posts('T1', 'C1', ts).map(({ finalText }) => finalText)).toEqual(['One two three']);
});

test('a stream in a channel says whom it answers', async () => {
  const { client, ts } = await bot();
  const begin = (more: object) =>
    errorOf(client.apiCall('chat.startStream', { channel: 'C1', thread_ts: ts, ...more }));
  expect(await begin({ recipient_user_id: 'U1' })).toBe('missing_recipient_team_id');
  expect(await begin({ recipient_team_id: 'T1' })).toBe('missing_recipient_user_id');
  expect(await begin({ recipient_user_id: 'U1', recipient_team_id: 'T9' })).toBe('team_not_found');
  expect(await begin({ recipient_user_id: 'U9', recipient_team_id: 'T1' })).toBe('user_not_found');
  expect(await errorOf(client.apiCall('chat.startStream', { channel: 'C1' }))).toBe('invalid_arguments');

  const direct = await slack.say('T1', { user: 'U1', text: 'Hello' });
  const inDirect = { channel: direct.channel, thread_ts: direct.ts };
  expect(await errorOf(client.chat.startStream(inDirect))).toBe('no error');
});

test('Slack closes a stream that takes too long', async () => {
  let nowMs = Date.now();
  await restart({ now: () => nowMs });
  const { client, ts } = await bot();
  const where = { channel: 'C1', thread_ts: ts, recipient_user_id: 'U1', recipient_team_id: 'T1' };
  const started = await client.chat.startStream({ ...where, markdown_text: 'Slow' });
  const own = { channel: 'C1', ts: started.ts ?? '' };
  nowMs += 5 * 60_000;
  expect(await errorOf(client.chat.appendStream({ ...own, markdown_text: 'er' }))).toBe(
    'message_not_in_streaming_state',
  );
  expect(await errorOf(client.chat.update({ ...own, text: 'Slower' }))).toBe('no error');
});

test('more than a post a second in a channel is refused with the time to wait', async () => {
  let nowMs = Date.now();
  await restart({ now: () => nowMs });
  const { client } = await bot();
  const post = () => client.chat.postMessage({ channel: 'C1', text: 'Hi' });
  for (let count = 0; count < 3; count += 1) await post();
  await expect(post()).rejects.toMatchObject({ code: ErrorCode.RateLimitedError, retryAfter: 1 });
  expect(slack.rateLimited()).toBe(1);
  await client.chat.postMessage({ channel: 'U1', text: 'In another channel' });
  nowMs += 1_000;
  await post();
  expect(slack.posts('T1', 'C1')).toHaveLength(4);
});

test("a method's limit is of one workspace, and can be changed", async () => {
  const first = await bot('T1');
  const second = await bot('T2');
  slack.changeLimits({ perMinute: { 4: 2 } });
  await first.client.auth.test();
  await first.client.auth.test();
  await second.client.auth.test();
  expect(await errorOf(first.client.auth.test())).toBe(ErrorCode.RateLimitedError);
});

test('edits keep to the fifty a minute that Slack promises when the limits are those', async () => {
  let nowMs = Date.now();
  await restart({ now: () => nowMs, limits: { perMinute: documentedPerMinute } });
  const { client } = await bot();
  const { ts = '' } = await client.chat.postMessage({ channel: 'C1', text: '0' });
  const edit = () => client.chat.update({ channel: 'C1', ts, text: 'Hi' });
  for (let count = 0; count < 50; count += 1) await edit();
  expect(await errorOf(edit())).toBe(ErrorCode.RateLimitedError);
  nowMs += 2_000;
  expect(await errorOf(edit())).toBe('no error');
});

test('calls fail as they are told to, as often as they are told to', async () => {
  const { client } = await bot();
  const post = (text: string) => errorOf(client.chat.postMessage({ channel: 'C1', text }));
  slack.fail('chat.postMessage', { kind: 'ok_false', error: 'fatal_error' });
  slack.fail('chat.postMessage', { kind: 'http_500' });
  slack.fail('chat.postMessage', { kind: 'drop' });
  slack.fail('chat.postMessage', { kind: 'rate_limit', retryAfterSeconds: 7, times: 2 });
  expect(await post('1')).toBe('fatal_error');
  expect(await post('2')).toBe(ErrorCode.HTTPError);
  expect(await post('3')).toBe(ErrorCode.RequestError);
  expect(await post('4')).toBe(ErrorCode.RateLimitedError);
  expect(await post('5')).toBe(ErrorCode.RateLimitedError);
  expect(slack.posts('T1', 'C1')).toEqual([]);
  expect(await post('6')).toBe('no error');
  expect(slack.rateLimited()).toBe(0);
  expect(slack.callsOf('chat.postMessage').map(({ fault }) => fault)).toEqual([
    'ok_false',
    'http_500',
    'drop',
    'rate_limit',
    'rate_limit',
    undefined,
  ]);
});

test('a call whose answer is lost was made', async () => {
  const { client } = await bot();
  slack.fail('chat.postMessage', { kind: 'answer_lost', where: ({ teamId }) => teamId === 'T1' });
  expect(await errorOf(client.chat.postMessage({ channel: 'C1', text: 'Hi' }))).toBe(ErrorCode.RequestError);
  expect(slack.posts('T1', 'C1').map(({ finalText }) => finalText)).toEqual(['Hi']);
});

test('a slow call is made late', async () => {
  const { client } = await bot();
  slack.fail('chat.postMessage', { kind: 'slow', delayMs: 40 });
  const startedMs = performance.now();
  const posting = client.chat.postMessage({ channel: 'C1', text: 'Hi' });
  expect(slack.posts('T1', 'C1')).toEqual([]);
  await posting;
  expect(performance.now() - startedMs).toBeGreaterThanOrEqual(39);
  expect(slack.posts('T1', 'C1')).toHaveLength(1);
});

test('an app does what its scopes allow', async () => {
  const { botToken } = slack.install('A1', 'T1', { scopes: ['chat:write', 'im:history'] });
  const { ts } = await slack.say('T1', { user: 'U1', channel: 'C1', text: 'Hello' });
  const client = clientOf(botToken);
  await client.chat.postMessage({ channel: 'C1', text: 'Hi' });
  await expect(client.reactions.add({ channel: 'C1', timestamp: ts, name: 'eyes' })).rejects.toMatchObject({
    data: { error: 'missing_scope', needed: 'reactions:write', provided: 'chat:write,im:history' },
  });
  expect(await errorOf(client.conversations.history({ channel: 'C1' }))).toBe('missing_scope');
});

test('history is read newest first and page by page', async () => {
  const { client, ts } = await bot();
  await slack.say('T1', { user: 'U1', channel: 'C1', text: 'In a thread', threadTs: ts });
  await slack.say('T1', { user: 'U2', channel: 'C1', text: 'Later' });
  const all = await client.conversations.history({ channel: 'C1' });
  expect(all.messages?.map(({ text }) => text)).toEqual(['Later', 'Hello']);
  const first = await client.conversations.history({ channel: 'C1', limit: 1 });
  const cursor = first.response_metadata?.next_cursor ?? '';
  const second = await client.conversations.history({ channel: 'C1', limit: 1, cursor });
  expect(second.messages?.map(({ text }) => text)).toEqual(['Hello']);
  expect(second.has_more).toBe(false);
  const after = await client.conversations.history({ channel: 'C1', oldest: ts });
  expect(after.messages?.map(({ text }) => text)).toEqual(['Later']);
  expect(await errorOf(client.conversations.replies({ channel: 'C1', ts: '1.000001' }))).toBe(
    'thread_not_found',
  );
});

test('a reaction is given once', async () => {
  const { client, ts } = await bot();
  const react = () => errorOf(client.reactions.add({ channel: 'C1', timestamp: ts, name: 'eyes' }));
  expect([await react(), await react()]).toEqual(['no error', 'already_reacted']);
  expect(slack.messages('T1', 'C1')[0]?.reactions).toMatchObject([{ name: 'eyes' }]);
});

test('an assistant shows a status until it has answered', async () => {
  const { client } = await bot();
  const { channel, threadTs } = await slack.startAssistantThread('T1', { user: 'U1' });
  const place = { channel_id: channel, thread_ts: threadTs };
  await client.assistant.threads.setStatus({ ...place, status: 'is thinking' });
  await client.assistant.threads.setSuggestedPrompts({ ...place, prompts: [{ title: 'A', message: 'B' }] });
  await client.assistant.threads.setTitle({ ...place, title: 'About A' });
  expect(slack.assistantThreads).toMatchObject([
    { status: 'is thinking', title: 'About A', prompts: [{ title: 'A' }] },
  ]);
  await client.chat.postMessage({ channel, thread_ts: threadTs, text: 'Hi' });
  expect(slack.assistantThreads).toMatchObject([{ status: '', statuses: ['is thinking'] }]);
  const unknown = { channel_id: channel, thread_ts: '1.000001' };
  expect(await errorOf(client.assistant.threads.setStatus({ ...unknown, status: 'x' }))).toBe(
    'invalid_thread_ts',
  );
});

test('a note for one person is seen by nobody else', async () => {
  const { client } = await bot();
  await client.chat.postEphemeral({ channel: 'C1', user: 'U1', text: 'For you' });
  expect(slack.ephemerals).toMatchObject([{ user: 'U1', text: 'For you' }]);
  expect(slack.posts('T1', 'C1')).toEqual([]);
  expect(await errorOf(client.chat.postEphemeral({ channel: 'C1', user: 'U9', text: 'x' }))).toBe(
    'user_not_in_channel',
  );
});

test('a method that nobody knows is an error', async () => {
  const { client } = await bot();
  expect(await errorOf(client.apiCall('chat.shout', {}))).toBe('unknown_method');
});
