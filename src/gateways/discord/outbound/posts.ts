import { createHash } from 'node:crypto';
import type { RawFile } from '@discordjs/rest';
import { GatewayError } from '../../gateway-error.ts';
import type { Pacer } from '../../pacer.ts';
import type { DiscordMessageId } from '../places.ts';
import type { DiscordApi } from './api.ts';
import { codeOf, codes } from './api-failures.ts';
import type { DiscordPart } from './compose.ts';
import type { Destination } from './destination.ts';

/** Which part of what a post is; it makes the nonce, by which Discord makes one post of a repeated call. */
export type PostOrigin = { of: string; part: number; again?: boolean };

export type Posted = DiscordMessageId & {
  /** The post was there before, from an attempt whose answer was lost, and says something else. */
  saysOther: boolean;
};

export interface DiscordPosts {
  /** @throws {GatewayError} */
  post(
    to: Destination,
    part: DiscordPart & { files?: readonly RawFile[] },
    origin: PostOrigin,
    signal: AbortSignal,
  ): Promise<Posted>;
  /** `gone`: there is no such post any more, or it is not ours to edit. @throws {GatewayError} */
  edit(
    to: Destination,
    id: DiscordMessageId,
    part: DiscordPart,
    options: { signal: AbortSignal; burst?: number },
  ): Promise<'edited' | 'gone'>;
  /** One that is not there is deleted already. @throws {GatewayError} */
  remove(to: Destination, id: DiscordMessageId, signal: AbortSignal): Promise<void>;
}

/** Five in five seconds in a channel is Discord's usual; its own word comes with each answer and goes before. */
const channelPace = { intervalMs: 1_000, burst: 5 };
const callsNobody = { parse: [], replied_user: false };

/** Posts, edits and deletes one message at a time, at Discord's pace, without calling anybody. */
export function createDiscordPosts({ api, pacer }: { api: DiscordApi; pacer: Pacer }): DiscordPosts {
  const pace = (
    { app, channel }: Destination,
    what: string,
    signal: AbortSignal,
    burst = channelPace.burst,
  ) =>
    pacer.take(`discord/${app.applicationId}/${channel}/${what}`, channelPace.intervalMs, signal, 1, burst);

  async function postByTicket(
    { app, ticket, channel }: Destination,
    part: DiscordPart & { files?: readonly RawFile[] },
    { part: number }: PostOrigin,
    signal: AbortSignal,
  ): Promise<Posted> {
    const base = `/webhooks/${ticket?.applicationId}/${ticket?.token}` as const;
    // The first part is what the person sees being thought about; to say it twice is to say it once.
    const isFirst = number === 1;
    const call = isFirst
      ? ({ method: 'PATCH', route: `${base}/messages/@original` } as const)
      : ({ method: 'POST', route: base } as const);
    const body = bodyOf(part);
    const made = await api.call<Message>(
      app,
      { ...call, body, byInteraction: true, ...(part.files && { files: part.files }) },
      signal,
    );
    return { ...named(made, channel), saysOther: false };
  }

  /** False: the token has run out, and the bot itself may still edit it. */
  async function editByTicket(
    { app, ticket }: Destination,
    { id }: DiscordMessageId,
    part: DiscordPart,
    signal: AbortSignal,
  ): Promise<boolean> {
    const route = `/webhooks/${ticket?.applicationId}/${ticket?.token}/messages/${id}` as const;
    try {
      await api.call(app, { method: 'PATCH', route, body: bodyOf(part), byInteraction: true }, signal);
      return true;
    } catch (error) {
      if (!deadTicket.has(codeOf(error) ?? '') || app.botToken === undefined) throw error;
      return false;
    }
  }

  return {
    async post(to, part, origin, signal) {
      if (to.ticket) {
        try {
          return await postByTicket(to, part, origin, signal);
        } catch (error) {
          if (!deadTicket.has(codeOf(error) ?? '') || to.app.botToken === undefined) throw error;
        }
      }
      await pace(to, 'post', signal);
      const { app, channel, replyTo } = to;
      const body = {
        ...bodyOf(part),
        ...{ nonce: nonceOf(origin), enforce_nonce: true },
        ...(replyTo !== undefined &&
          origin.part === 1 && { message_reference: { message_id: replyTo, fail_if_not_exists: false } }),
      };
      const route = `/channels/${channel}/messages` as const;
      const call = { method: 'POST', route, body, ...(part.files && { files: part.files }) } as const;
      const made = await api.call<Message>(app, call, signal);
      return {
        ...named(made, channel),
        saysOther: made.content !== undefined && made.content !== part.content,
      };
    },

    async edit(to, id, part, { signal, burst }) {
      try {
        if (to.ticket && (await editByTicket(to, id, part, signal))) return 'edited';
        await pace({ ...to, channel: id.channel }, 'edit', signal, burst);
        const route = `/channels/${id.channel}/messages/${id.id}` as const;
        await api.call(to.app, { method: 'PATCH', route, body: bodyOf(part) }, signal);
        return 'edited';
      } catch (error) {
        if (!uneditable.has(codeOf(error) ?? '')) throw error;
        return 'gone';
      }
    },

    async remove(to, id, signal) {
      const { ticket, app } = to;
      const route = ticket
        ? (`/webhooks/${ticket.applicationId}/${ticket.token}/messages/${id.id}` as const)
        : (`/channels/${id.channel}/messages/${id.id}` as const);
      await api
        .call(app, { method: 'DELETE', route, ...(ticket && { byInteraction: true }) }, signal)
        .catch((error: unknown) => {
          if (!uneditable.has(codeOf(error) ?? '')) throw error;
        });
    },
  };
}

/** Its quarter of an hour is over, or what it was to answer is not there any more. */
const deadTicket: ReadonlySet<string> = new Set([
  ...[codes.deadToken, codes.unknownWebhook, codes.unknownMessage],
]);

const uneditable: ReadonlySet<string> = new Set([
  ...[codes.unknownMessage, codes.unknownWebhook, codes.foreignMessage],
]);

type Message = { id?: string; channel_id?: string; content?: string };

function named({ id, channel_id: at }: Message, channel: string): DiscordMessageId {
  if (id === undefined)
    throw new GatewayError('unavailable', 'Discord took a post without naming it.', { mayHaveArrived: true });
  return { channel: at ?? channel, id };
}

function bodyOf({ content, embeds, components }: DiscordPart) {
  return { content, embeds, components, allowed_mentions: callsNobody };
}

/** 22 characters; Discord takes 25. */
export function nonceOf({ of, part, again = false }: PostOrigin): string {
  return createHash('sha256').update(`${of}/${part}/${again}`).digest('base64url').slice(0, 22);
}
