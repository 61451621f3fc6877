import { expect, onTestFinished, test } from 'vitest';
import type { Uuid } from '#domain/ids.ts';
import { createPaceInProcess } from '#metering/pace-in-process.ts';
import { startDiscordSimulator } from '../../../simulators/discord/simulator.ts';
import type { OpenChannel, OutboundMessage } from '../../gateway.ts';
import { createPacer } from '../../pacer.ts';
import type { DiscordApp } from '../channel.ts';
import { writeMessageId } from '../places.ts';
import { createDiscordApi } from './api.ts';
import { createInvalidGuard } from './invalid-guard.ts';
import { createDiscordPosts } from './posts.ts';
import { sendToDiscord } from './send.ts';

/** What a process that was killed while it streamed has left, and who finishes the answer ten minutes later. */

const laterMs = 10 * 60_000;
const anOpenChannel = { id: 'c' as Uuid, tenantId: 't' as Uuid, platform: 'discord' } as OpenChannel;

async function aChannel() {
  let nowMs = Date.now();
  const discord = await startDiscordSimulator({ now: () => nowMs });
  onTestFinished(() => discord.close());
  const { botToken } = discord.addApp({ id: '900' });
  discord.addGuild({ id: '1', members: ['7'] });
  discord.invite('900', '1');
  const channel = discord.addChannel('1');
  const app: DiscordApp = { applicationId: '900', account: '', botToken, apiUrl: discord.apiUrl };
  const budget = createPaceInProcess();
  const pacer = createPacer(budget);
  const api = createDiscordApi({ pacer, guard: createInvalidGuard(budget) });
  const posts = createDiscordPosts({ api, pacer });
  const to = { app, channel, replyTo: undefined, ticket: undefined };
  const recordedElsewhere: string[] = [];
  const createdAt = new Date(nowMs);
  const kept: string[] = [];

  return {
    discord,
    recordedElsewhere,
    kept,
    texts: () => discord.posts(channel).map(({ content }) => content),
    /** Posts as a stream does, and dies before it has recorded that. */
    async leave(content: string, turnId = 'turn') {
      const part = { content, embeds: [], components: [] };
      const posted = await posts.post(to, part, { of: turnId, part: 1 }, AbortSignal.timeout(5_000));
      nowMs += laterMs;
      return writeMessageId(posted);
    },
    send(text: string, conversationExternalId = channel) {
      const message: OutboundMessage = {
        ...{ deliveryId: 'd', messageId: 'm', turnId: 'turn', attempt: 2, interrupted: true, role: 'agent' },
        ...{ text, content: {}, attachments: [], createdAt, lastInboundAt: createdAt, conversationId: 'c' },
        ...{ conversationExternalId, participantExternalId: '7', externalIds: [] },
      };
      return sendToDiscord(
        {
          ...{ api, posts, destinations: { find: async () => to }, sourcesTitle: 'Sources' },
          files: { open: () => Promise.reject(new Error('There are no files.')) },
          isRecordedElsewhere: async (_at, id) => recordedElsewhere.includes(id),
          nowMs: () => nowMs,
        },
        anOpenChannel,
        message,
        { signal: AbortSignal.timeout(5_000), keepPart: async (_number, id) => void kept.push(id) },
      );
    },
  };
}

test('a draft that says the beginning of the answer becomes the answer', async () => {
  const { leave, send, texts, kept } = await aChannel();
  const draft = await leave('Hello, \\*\\*wor …');
  expect(await send('Hello, **world**, and more.')).toEqual({ externalIds: [draft] });
  expect(texts()).toEqual(['Hello, **world**, and more.']);
  expect(kept).toEqual([draft]);
});

test('so does one that fills its post, without a mark at its end', async () => {
  const { leave, send, texts } = await aChannel();
  await leave('A long beginning');
  expect(await send('A long beginning and its end.')).not.toHaveProperty('uncertain');
  expect(texts()).toEqual(['A long beginning and its end.']);
});

test('a draft of another try at the answer cannot be told from others: it may stand there twice', async () => {
  const { leave, send, texts } = await aChannel();
  await leave('Good morning …');
  expect(await send('Good evening.')).toMatchObject({ uncertain: true });
  expect(texts()).toEqual(['Good morning …', 'Good evening.']);
});

test('a post that is recorded as another answer’s is left alone, and leaves no doubt', async () => {
  const { leave, send, texts, recordedElsewhere } = await aChannel();
  recordedElsewhere.push(await leave('Hello …', 'another turn'));
  expect(await send('Hello to you.')).not.toHaveProperty('uncertain');
  expect(texts()).toEqual(['Hello …', 'Hello to you.']);
});

test('in direct messages a draft may be another tenant’s: it is left alone, and the doubt is said', async () => {
  const { leave, send, texts } = await aChannel();
  await leave('Hello …', 'another turn');
  expect(await send('Hello to you.', '@7')).toMatchObject({ uncertain: true });
  expect(texts()).toEqual(['Hello …', 'Hello to you.']);
});

test('another answer that says the same is not taken for this one', async () => {
  const { leave, send, texts, recordedElsewhere, kept } = await aChannel();
  const other = await leave('We are open.', 'another turn');
  recordedElsewhere.push(other);
  expect(await send('We are open.')).not.toHaveProperty('uncertain');
  expect(texts()).toEqual(['We are open.', 'We are open.']);
  expect(kept).not.toContain(other);
});

test('the whole answer that nobody has recorded is this one’s', async () => {
  const { leave, send, texts } = await aChannel();
  const posted = await leave('We are open.');
  expect(await send('We are open.')).toEqual({ externalIds: [posted] });
  expect(texts()).toEqual(['We are open.']);
});

test('in direct messages the same text may be another tenant’s: it is left alone, and the doubt is said', async () => {
  const { leave, send, texts } = await aChannel();
  await leave('We are open.', 'another turn');
  expect(await send('We are open.', '@7')).toMatchObject({ uncertain: true });
  expect(texts()).toEqual(['We are open.', 'We are open.']);
});

test('where nothing is left nothing is in doubt', async () => {
  const { send, texts, leave } = await aChannel();
  await leave('Something else, said long ago.', 'another turn');
  expect(await send('Once.')).not.toHaveProperty('uncertain');
  expect(texts()).toEqual(['Something else, said long ago.', 'Once.']);
});
