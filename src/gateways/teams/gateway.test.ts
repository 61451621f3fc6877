import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newId } from '#domain/ids.ts';
import { createPaceInProcess } from '#metering/pace-in-process.ts';
import { startTeamsSimulator, type TeamsSimulator } from '#simulators/teams/simulator.ts';
import type { ConversationReference, OpenChannel, OutboundMessage } from '../gateway.ts';
import type { ConversationReferences, KeptReference } from '../journey.ts';
import { createPacer } from '../pacer.ts';
import { createTeamsGateway } from './index.ts';

/** The gateway by itself, with Microsoft's SDK, against the simulator with Teams' own limits. */
const appId = '11111111-2222-3333-4444-555555555555';
const aadTenant = 'a1b2c3d4-e5f6-7890-abcd-ef1234567890';
let teams: TeamsSimulator;

beforeEach(async () => {
  teams = await startTeamsSimulator();
  teams.addApp({ appId, password: 'hunter2', name: 'Bot', homeTenant: aadTenant });
});
afterEach(async () => {
  expect(teams.violations).toEqual([]);
  await teams.close();
});

function aReferenceStore(): ConversationReferences {
  const kept = new Map<string, KeptReference>();
  return {
    async keep(_, { conversationExternalId, ...reference }: ConversationReference) {
      kept.set(conversationExternalId, reference);
    },
    find: async (_, id) => kept.get(id),
    findLatest: async () => [...kept.values()].at(-1),
    async block(_, { conversationExternalId: id, reference, blockedReason }) {
      kept.set(id, { reference, ...kept.get(id), blockedReason });
    },
  };
}

const channel: OpenChannel = {
  ...{ tenantId: newId(), id: newId(), platform: 'teams', key: 'ck_teams', version: 1 },
  settings: {
    aadTenant,
    appId,
    appTenant: aadTenant,
    replies: 'thread',
    streaming: true,
    requestsPerSecond: 30,
  },
  secrets: { appPassword: 'hunter2' },
  ...{ status: 'active', statusReason: undefined, tenantStatus: 'active', agent: undefined },
  ...{ tenantSettings: {}, organizationSettings: {} },
};
const at = { tenantId: channel.tenantId, channelId: channel.id, platform: 'teams' as const };

async function aChat() {
  const references = aReferenceStore();
  const gateway = createTeamsGateway({
    ...{ addresses: { openIdMetadataUrl: teams.metadataUrl, loginUrl: teams.loginUrl }, references },
    pacer: createPacer(createPaceInProcess()),
    files: {
      open: async () => Promise.reject(new Error('There is no file.')),
      sign: (_tenant, id) => `https://files.example/${id}`,
    },
    checkLink: () => undefined,
    texts: {
      ...{
        sources: 'Sources',
        files: 'Files',
        actionTaken: 'Got it.',
        file: { offer: 'A file', taken: 'Taken', failed: 'Failed' },
      },
      question: { title: 'Ask', label: 'Your question', submit: 'Ask', asked: 'Thank you.' },
    },
    fetch: async () => Promise.reject(new Error('Nothing is fetched from elsewhere.')),
  });
  const chat = teams.direct(appId, aadTenant, '29:ann');
  const reference = {
    serviceUrl: teams.serviceUrlOf(aadTenant),
    conversationId: chat.id,
    aadTenant,
    botId: `28:${appId}`,
  };
  await references.keep(at, { conversationExternalId: '@29:ann', reference });

  const message = (more: Partial<OutboundMessage> = {}): OutboundMessage => ({
    ...{ deliveryId: newId(), messageId: newId(), turnId: newId(), attempt: 1, interrupted: false },
    ...{ role: 'agent', text: 'An answer', content: {}, attachments: [], createdAt: new Date() },
    ...{ lastInboundAt: new Date(), conversationId: newId(), conversationExternalId: '@29:ann' },
    ...{ participantExternalId: '29:ann', externalIds: [] },
    ...more,
  });
  const send = async (given: OutboundMessage, wait = new AbortController().signal) => {
    const kept = new Map<number, string>();
    const keepPart = async (number: number, id: string) => void kept.set(number, id);
    const result = await gateway.send(channel, given, { signal: wait, keepPart });
    return { ...result, kept: [...kept.values()] };
  };
  const texts = () => teams.posts(chat.id).map(({ text }) => text);
  return { gateway, references, chat, message, send, texts };
}

const threeParts = Array.from({ length: 900 }, (_, n) => `Sentence ${n} of a long answer.`).join('\n\n');

describe('sending', () => {
  test('says everything, part by part, and names each part', async () => {
    const { send, message, texts, chat } = await aChat();
    const { externalIds, kept } = await send(message({ text: threeParts }));
    expect(texts().length).toBeGreaterThan(1);
    expect(externalIds).toEqual(teams.posts(chat.id).map(({ id }) => `${chat.id}/${id}`));
    expect(kept).toEqual(externalIds);
  });

  test('goes on where it stopped: what is out is edited, what was too much is deleted', async () => {
    const { send, message, texts } = await aChat();
    const { externalIds } = await send(message({ text: threeParts }));
    const again = await send(message({ text: 'Shorter.', externalIds }));
    expect(texts()).toEqual(['Shorter.']);
    expect(again.externalIds).toEqual(externalIds.slice(0, 1));
  });

  test('posts anew what somebody has deleted meanwhile', async () => {
    const { send, message, texts, chat } = await aChat();
    const { externalIds } = await send(message());
    const [post] = teams.posts(chat.id);
    if (post) post.isDeleted = true;
    const again = await send(message({ text: 'Once more.', externalIds }));
    expect(texts()).toEqual(['Once more.']);
    expect(again.externalIds).not.toEqual(externalIds);
  });

  test('says that it may be twice when an attempt was interrupted, or a stream before the first one', async () => {
    const { send, message } = await aChat();
    expect(await send(message({ interrupted: true, attempt: 2 }))).toMatchObject({ uncertain: true });
    expect(await send(message({ interrupted: true, attempt: 1 }))).toMatchObject({ uncertain: true });
    expect(await send(message({ attempt: 2 }))).not.toHaveProperty('uncertain');
    const { externalIds } = await send(message());
    expect(await send(message({ interrupted: true, attempt: 2, externalIds }))).not.toHaveProperty(
      'uncertain',
    );
  });

  test('begins nothing that it cannot end in time', async () => {
    const { send, message, texts } = await aChat();
    await expect(send(message(), AbortSignal.abort())).rejects.toMatchObject({ code: 'gateway_not_now' });
    expect(texts()).toEqual([]);
  });

  test('to a conversation of another Entra tenant than the channel’s goes nowhere', async () => {
    const { send, message, references } = await aChat();
    const reference = {
      serviceUrl: 'https://evil.example/',
      conversationId: 'a:9',
      aadTenant: 'x',
      botId: '28:x',
    };
    await references.keep(at, { conversationExternalId: '@29:bob', reference });
    const given = message({ conversationExternalId: '@29:bob', participantExternalId: '29:bob' });
    await expect(send(given)).rejects.toMatchObject({ code: 'gateway_recipient_gone' });
    expect(teams.calls).toEqual([]);
  });

  test('keeps to Teams’ own limits: twenty messages at once into one chat, and none is refused', async () => {
    const { send, message, texts } = await aChat();
    const whenever = async (text: string): Promise<void> => {
      await send(message({ text })).catch(async (error: { code: string; retryAfterMs: number }) => {
        expect(error.code).toBe('gateway_not_now');
        await new Promise((resolve) => setTimeout(resolve, error.retryAfterMs));
        return whenever(text);
      });
    };
    await Promise.all(Array.from({ length: 20 }, (_, index) => whenever(`message ${index}`)));
    expect(texts()).toHaveLength(20);
    expect(teams.calls.filter(({ status }) => status !== 201)).toEqual([]);
  }, 60_000);
});

describe('streaming', () => {
  const target = (externalIds: string[] = []) => ({
    ...{ turnId: newId(), attempt: 1, conversationId: newId(), conversationExternalId: '@29:ann' },
    ...{ participantExternalId: '29:ann', externalIds },
  });
  const settle = () => new Promise((resolve) => setTimeout(resolve, 1_800));

  test('keeps the message’s id before its second piece, and ends with the whole text', async () => {
    const { gateway, texts, chat } = await aChat();
    const kept: string[] = [];
    const stream = await gateway.openStream?.(channel, target(), async (_number, id) => void kept.push(id));
    stream?.show('One');
    await expect.poll(() => kept).toHaveLength(1);
    stream?.show('One, two');
    await settle();
    stream?.show('One, two, three');
    await stream?.close();
    expect(texts()).toEqual(['One, two, three']);
    const [post] = teams.posts(chat.id);
    expect(post?.isStreaming).toBe(false);
    expect(kept).toEqual([`${chat.id}/${post?.id}`]);
  });

  test('is not begun anew in a rerun: the finished text takes the place of what is there', async () => {
    const { gateway, send, message, texts, chat } = await aChat();
    const kept: string[] = [];
    const stream = await gateway.openStream?.(channel, target(), async (_number, id) => void kept.push(id));
    stream?.show('Half of an');
    await expect.poll(() => kept).toHaveLength(1);
    // Its process is killed here; Teams ends the stream by itself.
    teams.expireStreams();
    const rerun = await gateway.openStream?.(channel, target(kept), async () => {});
    rerun?.show('Half of an answer, once more');
    await rerun?.close();
    await send(message({ text: 'The answer.', externalIds: kept, interrupted: true }));
    expect(texts()).toEqual(['The answer.']);
    expect(teams.posts(chat.id)).toHaveLength(1);
  });

  test.each<[string, boolean, Parameters<TeamsSimulator['fail']>[0] | undefined]>([
    ['was taken', false, undefined],
    ['was refused', true, { kind: 'status', status: 403, code: 'ContentStreamNotAllowed' }],
    ['got no answer', false, { kind: 'answer_lost' }],
    ['met a gateway that did not wait', false, { kind: 'status', status: 504 }],
  ])('whose first piece %s knows whether nothing is there: %s', async (_what, isNothing, fault) => {
    const { gateway } = await aChat();
    if (fault) teams.fail(fault);
    const stream = await gateway.openStream?.(channel, target(), async () => {});
    stream?.show('One');
    await stream?.close();
    expect(stream?.leftNothing?.()).toBe(isNothing);
  });

  test('that is turned off, or has nowhere to go, leaves nothing, and says so', async () => {
    const { gateway } = await aChat();
    const silent = { ...channel, settings: { ...channel.settings, streaming: false } };
    const elsewhere = { ...channel, settings: { ...channel.settings, aadTenant: 'another' } };
    for (const given of [silent, elsewhere]) {
      const stream = await gateway.openStream?.(given, target(), async () => {});
      stream?.show('One');
      await stream?.close();
      expect(stream?.leftNothing?.()).toBe(true);
    }
    expect(teams.calls).toEqual([]);
  });

  test('whose lost id nobody keeps leaves nothing behind', async () => {
    const { gateway, texts } = await aChat();
    const stream = await gateway.openStream?.(channel, target(), () =>
      Promise.reject(new Error('the lease is lost')),
    );
    stream?.show('Nobody will see');
    await expect(stream?.close()).rejects.toThrow('the lease is lost');
    expect(texts()).toEqual([]);
  });
});
