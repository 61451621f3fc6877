import { WebClient } from '@slack/web-api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type SlackSimulator, startSlackSimulator } from './simulator.ts';

let slack: SlackSimulator;
let botToken: string;

beforeEach(async () => {
  slack = await startSlackSimulator();
  slack.addApp({ appId: 'A1', signingSecret: 'secret' });
  ({ botToken } = slack.install('A1', 'T1'));
});
afterEach(() => slack.close());

const client = (token = botToken) =>
  new WebClient(token, { slackApiUrl: slack.apiUrl, retryConfig: { retries: 0 } });

/** A file that a person has sent: its id and where it is. */
async function sent(teamId = 'T1') {
  const file = { name: 'notes é.txt', contentType: 'text/plain', content: 'Read me' };
  const said = await slack.say(teamId, { user: 'U1', channel: 'C1', text: 'Look', files: [file] });
  const id = slack.messages(teamId, 'C1').find(({ ts }) => ts === said.ts)?.fileIds[0] ?? '';
  return { id, ts: said.ts };
}

const get = (url = '', headers = {}) => fetch(url, { headers, redirect: 'manual' });
const authorized = (token: string) => ({ authorization: `Bearer ${token}` });

test("a file is downloaded with the bot's token", async () => {
  const { id } = await sent();
  const { file } = await client().files.info({ file: id });
  expect(file).toMatchObject({ name: 'notes é.txt', mimetype: 'text/plain', size: 7, user: 'U1' });
  const response = await get(file?.url_private_download, authorized(botToken));
  expect(response.headers.get('content-type')).toBe('text/plain');
  expect(await response.text()).toBe('Read me');
});

test('without the right token there is a page to sign in with, and no error', async () => {
  const { id } = await sent();
  const { file } = await client().files.info({ file: id });
  const none = await get(file?.url_private_download);
  expect(none.status).toBe(302);
  const wrong = await get(file?.url_private_download, authorized('xoxb-wrong'));
  expect([wrong.status, wrong.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  expect(slack.violations).toEqual([]);
});

test("another workspace's file is not to be had, and asking for it is recorded", async () => {
  const { botToken: other } = slack.install('A1', 'T2');
  const { id } = await sent();
  const { file } = await client().files.info({ file: id });
  const response = await get(file?.url_private_download, authorized(other));
  expect(await response.text()).not.toContain('Read me');
  await expect(client(other).files.info({ file: id })).rejects.toMatchObject({
    data: { error: 'file_not_found' },
  });
  expect(slack.violations.map(({ method }) => method)).toEqual(['file_download', 'files.info']);
});

test('downloads fail as they are told to', async () => {
  const { id } = await sent();
  const { file } = await client().files.info({ file: id });
  slack.fail('file_download', { kind: 'http_500' });
  slack.fail('file_download', { kind: 'drop' });
  expect((await get(file?.url_private_download, authorized(botToken))).status).toBe(500);
  await expect(get(file?.url_private_download, authorized(botToken))).rejects.toThrow();
  expect(slack.callsOf('file_download')).toMatchObject([{ status: 500 }, { status: 0 }]);
});

test("the SDK's upload puts a file into the thread", async () => {
  const { ts } = await sent();
  await client().files.uploadV2({
    channel_id: 'C1',
    thread_ts: ts,
    initial_comment: 'The report',
    filename: 'report.csv',
    file: Buffer.from('a,b\n1,2\n'),
  });
  const [post] = slack.posts('T1', 'C1', ts);
  expect(post).toMatchObject({ finalText: 'The report', subtype: 'file_share' });
  const { file } = await client().files.info({ file: post?.fileIds[0] ?? '' });
  const response = await get(file?.url_private_download, authorized(botToken));
  expect(await response.text()).toBe('a,b\n1,2\n');
});

test('an upload has the size that was announced, and is completed after it has come', async () => {
  slack.addChannel('T1', { id: 'C1' });
  const ticket = async () => client().files.getUploadURLExternal({ filename: 'a.txt', length: 3 });
  const short = await ticket();
  expect((await fetch(short.upload_url ?? '', { method: 'POST', body: 'ab' })).status).toBe(400);
  const complete = (id = '') => client().files.completeUploadExternal({ files: [{ id }], channel_id: 'C1' });
  await expect(complete(short.file_id)).rejects.toMatchObject({ data: { error: 'file_not_found' } });
  expect((await fetch(short.upload_url ?? '', { method: 'POST', body: 'abc' })).status).toBe(200);
  await complete(short.file_id);
  expect(slack.posts('T1', 'C1')).toHaveLength(1);
});
