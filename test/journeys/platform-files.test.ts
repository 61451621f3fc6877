import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import type { Uuid } from '#domain/ids.ts';
import { aDiscordService, isConnected, postsIn, sharedAppId } from '../support/a-discord-service.ts';
import type { Service } from '../support/a-service.ts';
import { aSlackService, postsOf } from '../support/a-slack-service.ts';
import { aTwilioService, ourNumber } from '../support/a-twilio-service.ts';
import { eventually } from '../support/eventually.ts';
import { inTenantOf, placeOf } from '../support/place-of.ts';

const png = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.from('the rest of a picture')]);
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** The files of what a person has sent, as the transcript names them. */
async function filesOf(service: Service): Promise<{ fileId: Uuid; name: string }[]> {
  const { messages } = await service.rows();
  return messages.flatMap(
    ({ content }) => (content['attachments'] ?? []) as { fileId: Uuid; name: string }[],
  );
}

const open = async (service: Service, id: Uuid) => {
  const tenantId = await inTenantOf(service, 'shop', async (_unit, tenant) => tenant);
  const file = await service.app.files.open(tenantId, id);
  return { ...file, bytes: await buffer(file.bytes) };
};

test('a file that comes by Slack stays there until it is needed, and is fetched once with the bot’s token', async () => {
  const service = await aSlackService();
  const { slack } = service;
  const said = await slack.say('T1', {
    user: 'U1',
    text: 'Look',
    files: [{ name: 'picture.png', contentType: 'image/png', content: png }],
  });
  await postsOf(slack, 'T1', said.channel);
  const [named] = await filesOf(service);
  expect(named?.name).toBe('picture.png');
  const downloads = () => slack.callsOf('file_download').length;
  expect(downloads()).toBe(0);
  const [first, second] = [
    await open(service, named?.fileId as Uuid),
    await open(service, named?.fileId as Uuid),
  ];
  expect(first.bytes).toEqual(png);
  expect(first).toMatchObject({ contentType: 'image/png', sizeBytes: png.length, sha256: sha256(png) });
  expect(second.bytes).toEqual(png);
  expect(downloads()).toBe(1);
});

test('a file that goes out by Slack stands in the conversation', async () => {
  const service = await aSlackService();
  const { slack, app } = service;
  const at = await placeOf(service, 'slack');
  slack.addUser('T1', 'U1');
  const file = await app.files.put(at.tenantId, {
    ...{ name: 'report.png', contentType: 'image/png', bytes: png, sizeBytesMax: 1_000 },
  });
  await app.sendMessage(at, {
    ...{ key: 'file', conversationExternalId: '@U1', participantExternalId: 'U1', role: 'operator' },
    text: 'Here you are',
    content: { attachments: [{ fileId: file.id, ...file }] },
  });
  const channel = slack.directChannel('T1', 'U1');
  await eventually(() => {
    const posts = slack.posts('T1', channel);
    expect(posts.map(({ finalText }) => finalText).join('\n')).toContain('Here you are');
    expect(posts.flatMap(({ fileIds }) => fileIds)).toHaveLength(1);
  });
});

test('a picture comes and goes by MMS: fetched with the account’s token, sent by a link of ours that expires', async () => {
  const service = await aTwilioService({ overrides: { allowedHosts: ['127.0.0.1'] } });
  const { twilio, app } = service;
  const ann = '+15550009';
  await twilio.text({
    from: ann,
    to: ourNumber,
    body: 'Look',
    media: [{ contentType: 'image/png', bytes: png }],
  });
  await eventually(() => expect(twilio.sent({ to: ann })).toHaveLength(1));
  const [named] = await filesOf(service);
  expect((await open(service, named?.fileId as Uuid)).bytes).toEqual(png);

  const at = await placeOf(service, 'sms');
  const file = await app.files.describe(at.tenantId, named?.fileId as Uuid);
  await app.sendMessage(at, {
    ...{
      key: 'mms',
      conversationExternalId: `${ourNumber}/${ann}`,
      participantExternalId: ann,
      role: 'operator',
    },
    text: 'And back',
    content: { attachments: [{ fileId: named?.fileId, ...file }] },
  });
  await eventually(() => expect(twilio.sent({ to: ann })).toHaveLength(2));
  const [, back] = twilio.sent({ to: ann });
  expect(back?.media).toHaveLength(1);
  expect(twilio.violations).toEqual([]);
});

test('a file that comes by Discord stays there until it is needed, and one that goes out stands in the conversation', async () => {
  const service = await aDiscordService();
  const { discord, channel, app } = service;
  await isConnected(discord);
  const files = [{ name: 'picture.png', contentType: 'image/png', bytes: png }];
  const said = discord.say(channel, { user: '7', text: `<@${sharedAppId}> look`, files });
  expect(await postsIn(discord, said.id)).toEqual(['look']);
  const [named] = await filesOf(service);
  expect(named?.name).toBe('picture.png');
  expect((await open(service, named?.fileId as Uuid)).bytes).toEqual(png);

  const at = await placeOf(service, 'discord');
  const file = await app.files.put(at.tenantId, {
    ...{ name: 'report.png', contentType: 'image/png', bytes: png, sizeBytesMax: 1_000 },
  });
  await app.sendMessage(at, {
    ...{ key: 'file', conversationExternalId: said.id, participantExternalId: '7', role: 'operator' },
    ...{ text: 'The report', content: { attachments: [{ fileId: file.id, ...file }] } },
  });
  await eventually(() => expect(discord.posts(said.id)).toHaveLength(3));
  const [, text, sent] = discord.posts(said.id);
  expect(text?.content).toBe('The report');
  expect(sent?.attachments).toMatchObject([{ filename: 'report.png', size: png.length }]);
});
