import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import type { Uuid } from '#domain/ids.ts';
import type { Service } from '../support/a-service.ts';
import { aSlackService, postsOf } from '../support/a-slack-service.ts';
import { aTwilioService, ourNumber } from '../support/a-twilio-service.ts';
import { eventually } from '../support/eventually.ts';

const png = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.from('the rest of a picture')]);
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

async function tenantOf({ app }: Service): Promise<Uuid> {
  const [tenant] = await app.storage.scopes.inPlatform((unit) =>
    unit.sql<{ id: Uuid }>(`SELECT id FROM directory.tenants WHERE slug = 'shop'`),
  );
  if (!tenant) throw new Error('There is no tenant.');
  return tenant.id;
}

/** The files of what a person has sent, as the transcript names them. */
async function filesOf(service: Service): Promise<{ fileId: Uuid; name: string }[]> {
  const { messages } = await service.rows();
  return messages.flatMap(
    ({ content }) => (content['attachments'] ?? []) as { fileId: Uuid; name: string }[],
  );
}

const open = async (service: Service, id: Uuid) => {
  const file = await service.app.files.open(await tenantOf(service), id);
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
  const tenantId = await tenantOf(service);
  slack.addUser('T1', 'U1');
  const file = await app.files.put(tenantId, {
    ...{ name: 'report.png', contentType: 'image/png', bytes: png, sizeBytesMax: 1_000 },
  });
  const channelId = await channelOf(service, 'slack');
  await app.sendMessage(
    { tenantId, channelId, platform: 'slack' },
    {
      ...{ key: 'file', conversationExternalId: '@U1', participantExternalId: 'U1', role: 'operator' },
      text: 'Here you are',
      content: { attachments: [{ fileId: file.id, ...file }] },
    },
  );
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

  const tenantId = await tenantOf(service);
  const channelId = await channelOf(service, 'sms');
  const file = await app.files.describe(tenantId, named?.fileId as Uuid);
  await app.sendMessage(
    { tenantId, channelId, platform: 'twilio' },
    {
      ...{
        key: 'mms',
        conversationExternalId: `${ourNumber}/${ann}`,
        participantExternalId: ann,
        role: 'operator',
      },
      text: 'And back',
      content: { attachments: [{ fileId: named?.fileId, ...file }] },
    },
  );
  await eventually(() => expect(twilio.sent({ to: ann })).toHaveLength(2));
  const [, back] = twilio.sent({ to: ann });
  expect(back?.media).toHaveLength(1);
  expect(twilio.violations).toEqual([]);
});

async function channelOf({ app }: Service, slug: string): Promise<Uuid> {
  return app.storage.scopes.inPlatform(async (unit) => {
    const [tenant] = await unit.sql<{ id: Uuid }>(`SELECT id FROM directory.tenants WHERE slug = 'shop'`);
    await unit.becomeTenant(tenant?.id ?? '');
    const [channel] = await unit.sql<{ id: Uuid }>('SELECT id FROM swarmgate.channels WHERE slug = $1', [
      slug,
    ]);
    if (!channel) throw new Error(`There is no channel "${slug}".`);
    return channel.id;
  });
}
