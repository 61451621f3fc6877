import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { aServer } from '../../../../test/support/a-server.ts';
import { aSlackWorkspace, type SlackWorkspace } from '../../../../test/support/a-slack-workspace.ts';
import type { SlackApi } from './api.ts';
import { createFileFetch, openAttachment } from './attachments.ts';

const never = new AbortController().signal;
type Source = Readonly<Record<string, unknown>>;

async function fileOf(
  workspace: SlackWorkspace,
  file: { name?: string; contentType?: string } = {},
): Promise<Source> {
  const said = { name: 'note.txt', contentType: 'text/plain', content: 'what the file says', ...file };
  await workspace.slack.say('T1', { user: 'U1', channel: 'C1', text: 'Look', files: [said] });
  const [id = ''] = workspace.slack.messages('T1', 'C1').at(-1)?.fileIds ?? [];
  return { id, url: `${workspace.slack.url}/files-pri/T1-${id}/download/note.txt` };
}

const open = async (workspace: SlackWorkspace, source: Source) => {
  const stream = await workspace.gateway.openAttachment?.(workspace.channel, source, never);
  return stream && text(stream);
};

test('a file is fetched with the token of its own channel', async () => {
  await using workspace = await aSlackWorkspace();
  expect(await open(workspace, await fileOf(workspace))).toBe('what the file says');
  expect(workspace.slack.violations).toEqual([]);
});

test('a file without an address is asked for by its id', async () => {
  await using workspace = await aSlackWorkspace();
  const { id } = await fileOf(workspace);
  expect(await open(workspace, { id })).toBe('what the file says');
});

test('a sign-in page in place of a file says that the token may not read it', async () => {
  await using workspace = await aSlackWorkspace({ scopes: ['chat:write'] });
  await expect(open(workspace, await fileOf(workspace))).rejects.toMatchObject({
    code: 'gateway_credentials_refused',
  });
});

test('a limit says how long to wait', async () => {
  await using workspace = await aSlackWorkspace();
  workspace.slack.fail('file_download', { kind: 'rate_limit', retryAfterSeconds: 4 });
  await expect(open(workspace, await fileOf(workspace))).rejects.toMatchObject({
    ...{ code: 'gateway_rate_limited', retryAfterMs: 4_000 },
  });
});

/** Fetches with answers of the test's own, and shows what was asked for. */
async function fetchWith(answer: (url: string) => Response, source: Source, apiUrl?: string) {
  const asked: { url: string; authorization: string | null }[] = [];
  const guarded = async (input: string | URL | Request, init: RequestInit = {}) => {
    asked.push({ url: String(input), authorization: new Headers(init.headers).get('authorization') });
    return answer(String(input));
  };
  await using workspace = await aSlackWorkspace();
  const api: SlackApi = { call: async () => Promise.reject(new Error('Nothing is asked of the Web API.')) };
  const parts = { api, fetchFile: createFileFetch(guarded, apiUrl), tokens: async () => 'xoxb-1' };
  const opened = await openAttachment(parts, workspace.channel, source, never).then(
    (stream) => text(stream),
    (error: unknown) => error,
  );
  return { opened, asked };
}

const redirect = (location: string) => new Response(null, { status: 302, headers: { location } });

test.each([
  'https://evil.example/files-pri/T1-F1/download/a',
  'http://files.slack.com/files-pri/T1-F1/download/a',
  'https://files.slack.com.evil.example/a',
  'https://notslack.com/a',
  'https://files.slack.com:8443/a',
  'file:///etc/passwd',
  'no address',
])('%s is none of Slack, and neither it nor the token goes there', async (url) => {
  const { opened, asked } = await fetchWith(() => new Response('secret'), { id: 'F1', url });
  expect(opened).toMatchObject({ code: 'gateway_message_refused' });
  expect(asked).toEqual([]);
});

test('a redirect within Slack is followed, and one to elsewhere is not', async () => {
  const url = 'https://files.slack.com/a';
  const within = await fetchWith(
    (at) => (at === url ? redirect('https://files-edge.slack.com/b') : new Response('bytes')),
    { id: 'F1', url },
  );
  expect(within.opened).toBe('bytes');
  expect(within.asked.map(({ authorization }) => authorization)).toEqual(['Bearer xoxb-1', 'Bearer xoxb-1']);

  const away = await fetchWith(() => redirect('https://evil.example/b'), { id: 'F1', url });
  expect(away.opened).toMatchObject({ code: 'gateway_message_refused' });
  expect(away.asked.map((one) => one.url)).toEqual([url]);

  const circle = await fetchWith(() => redirect('/a'), { id: 'F1', url });
  expect(circle.opened).toMatchObject({ code: 'gateway_message_refused' });
  expect(circle.asked).toHaveLength(4);
});

test('a file that is a web page itself is fetched like any other', async () => {
  const headers = { 'content-type': 'text/html', 'content-disposition': 'attachment; filename="a.html"' };
  const { opened } = await fetchWith(() => new Response('<p>', { headers }), {
    ...{ id: 'F1', url: 'https://files.slack.com/a.html' },
  });
  expect(opened).toBe('<p>');
});

test.each([
  [404, 'gateway_message_refused'],
  [403, 'gateway_credentials_refused'],
  [502, 'gateway_unavailable'],
])('HTTP %s to a download means %s', async (status, code) => {
  const answer = () => new Response('', { status });
  const { opened } = await fetchWith(answer, { id: 'F1', url: 'https://files.slack.com/a' });
  expect(opened).toMatchObject({ code });
});

test('another port of the machine that stands in for Slack is none of it', async () => {
  await using server = await aServer((_request, response) => response.end('secret'));
  const { port } = server;
  const source = { id: 'F1', url: `http://127.0.0.1:${port}/a` };
  const near = await fetchWith(() => new Response(''), source, `http://127.0.0.1:${port + 1}/api/`);
  expect(near.opened).toMatchObject({ code: 'gateway_message_refused' });
  const same = await fetchWith(() => new Response(''), source, `http://127.0.0.1:${port}/api/`);
  expect(same.opened).toBe('secret');
});
