import type { OpenChannel, StreamTarget } from '../../gateway.ts';
import { GatewayError } from '../../gateway-error.ts';
import type { Pacer } from '../../pacer.ts';
import { threadOf } from '../places.ts';
import type { TeamsApi } from './api.ts';
import type { Conversations } from './conversations.ts';
import { takeTurn } from './pacing.ts';

export type WorkingParts = { api: TeamsApi; conversations: Conversations; pacer: Pacer };

const callMs = 5_000;
/** It is not worth waiting for, and leaves the room that answers need. */
const turnMs = 50;
const workingBurst = 3;

/** Shows three dots in chats, for some seconds. In channels Teams shows no such thing. Never fails. */
export async function showWorking(
  { api, conversations, pacer }: WorkingParts,
  channel: OpenChannel,
  { conversationExternalId: place }: StreamTarget,
): Promise<void> {
  if (threadOf(place) !== undefined || place.includes('@thread.tacv2')) return;
  const signal = AbortSignal.timeout(callMs);
  try {
    const to = await conversations.find(channel, place, signal);
    await takeTurn(pacer, channel, to.conversationId, AbortSignal.timeout(turnMs), workingBurst);
    await api.call(channel, to.serviceUrl, 'changing', signal, (connector, call) =>
      connector.create(call, to.conversationId, { type: 'typing' }),
    );
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
  }
}
