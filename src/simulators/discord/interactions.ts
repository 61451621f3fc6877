import { randomBytes, sign } from 'node:crypto';
import type { Judge } from './judge.ts';
import { userOnWire } from './message-on-wire.ts';
import type { Sockets } from './sockets.ts';
import type { Json, World } from './world.ts';

/** Commands, buttons, menus and forms: told by HTTP, signed, or by the socket. */

export type Interaction = {
  id: string;
  appId: string;
  token: string;
  channelId: string;
  atMs: number;
  /** The message that the answer makes or edits. */
  originalId: string | undefined;
  /** The message that a component stands in. */
  sourceId: string | undefined;
};

export type InteractionAnswer = {
  status: number;
  /** The type of the response, where there is one. */
  type: number | undefined;
  data: Json;
  tookMs: number;
};

/** Until when an app has to answer. */
const deadlineMs = 3_000;

export type Interactions = ReturnType<typeof createInteractions>;

export function createInteractions(parts: {
  world: World;
  judge: Judge;
  sockets: () => Sockets;
  now: () => number;
}) {
  const { world, judge, sockets, now } = parts;
  const all = new Map<string, Interaction>();
  let latest: { appId: string; url: string; body: string } | undefined;

  async function post(appId: string, url: string, body: string, headers?: Record<string, string>) {
    const app = world.app(appId);
    const timestamp = String(Math.floor(now() / 1_000));
    const signature = sign(null, Buffer.from(timestamp + body), app.privateKey).toString('hex');
    const startedAtMs = now();
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-signature-ed25519': signature,
          'x-signature-timestamp': timestamp,
          ...headers,
        },
        body,
        signal: AbortSignal.timeout(deadlineMs),
      });
      const text = await response.text();
      return { status: response.status, text, tookMs: now() - startedAtMs };
    } catch {
      return { status: 0, text: '', tookMs: now() - startedAtMs };
    }
  }

  function take(interaction: Interaction, type: number | undefined, data: Json): void {
    const channel = world.channel(interaction.channelId);
    const source =
      interaction.sourceId === undefined ? undefined : channel.messages.get(interaction.sourceId);
    const content = typeof data['content'] === 'string' ? data['content'] : '';
    switch (type) {
      case 4:
      case 5:
        interaction.originalId = world.addMessage(channel, {
          ...{ author: interaction.appId, appId: interaction.appId, interactionId: interaction.id, content },
          components: (data['components'] as Json[] | undefined) ?? [],
          ephemeral: (Number(data['flags'] ?? 0) & 64) !== 0,
          loading: type === 5,
        }).id;
        return;
      case 7:
        if (!source) return void judge.violations.push('an update of a message where there is none');
        source.content = content || source.content;
        if (Array.isArray(data['components'])) source.components = data['components'] as Json[];
        source.edits += 1;
        return;
      case 6:
      case 8:
      case 9:
        return;
      default:
        judge.violations.push(`an interaction was answered with type ${type}`);
    }
  }

  return {
    byToken: (token: string) => [...all.values()].find((one) => one.token === token),

    last: () => [...all.values()].at(-1),
    /** The same one once more, which Discord itself does not do. */
    repeat: () => latest && post(latest.appId, latest.url, latest.body),

    /** Signs and posts anything. `headers` replace those of the signature. */
    post,

    /** Tells an app of what somebody did, and does what it answers. */
    async tell(
      appId: string,
      channelId: string,
      user: string,
      what: { type: number; data: Json; sourceId?: string; message?: Json },
    ): Promise<InteractionAnswer> {
      const app = world.app(appId);
      const channel = world.channel(channelId);
      const person = userOnWire(world, user);
      const interaction: Interaction = {
        ...{
          id: world.snowflake(),
          appId,
          token: randomBytes(24).toString('base64url'),
          channelId,
          atMs: now(),
        },
        ...{ originalId: undefined, sourceId: what.sourceId },
      };
      all.set(interaction.id, interaction);
      const payload: Json = {
        ...{
          id: interaction.id,
          application_id: appId,
          type: what.type,
          token: interaction.token,
          version: 1,
        },
        ...{ data: what.data, channel_id: channelId, locale: 'en-US' },
        channel: { id: channelId, type: channel.type, parent_id: channel.parentId ?? null },
        ...(channel.guildId === undefined
          ? { user: person, context: 1 }
          : { guild_id: channel.guildId, member: { user: person, roles: [] }, context: 0 }),
        ...(what.message && { message: what.message }),
      };
      if (app.interactionsUrl === undefined) {
        const isTold = sockets().tellInteraction(appId, channel.guildId, payload);
        return { status: isTold ? 200 : 0, type: undefined, data: {}, tookMs: 0 };
      }
      const body = JSON.stringify(payload);
      latest = { appId, url: app.interactionsUrl, body };
      const { status, text, tookMs } = await post(appId, app.interactionsUrl, body);
      if (status !== 200) return { status, type: undefined, data: {}, tookMs };
      const answer = JSON.parse(text) as { type?: number; data?: Json };
      take(interaction, answer.type, answer.data ?? {});
      return { status, type: answer.type, data: answer.data ?? {}, tookMs };
    },

    /** The answer to an interaction that came by the socket. */
    callback(id: string, token: string, body: Json): boolean {
      const interaction = all.get(id);
      if (interaction?.token !== token || interaction.originalId !== undefined) return false;
      take(interaction, Number(body['type']), (body['data'] as Json | undefined) ?? {});
      return true;
    },
  };
}
