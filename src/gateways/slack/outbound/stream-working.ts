import type { OpenChannel, StreamTarget } from '../../gateway.ts';
import { GatewayError } from '../../gateway-error.ts';
import { readPlace } from '../places.ts';
import type { SlackApi } from './api.ts';
import type { Refusals } from './stream-refusals.ts';

export type WorkingParts = { api: SlackApi; refusals: Refusals; status: string };

const callMs = 5_000;

/**
 * Shows a status in the thread of an assistant, until the answer comes or for two minutes. Elsewhere Slack has no such
 * thing. Never fails.
 *
 * @see https://docs.slack.dev/reference/methods/assistant.threads.setStatus/
 */
export async function showWorking(
  { api, refusals, status }: WorkingParts,
  channel: OpenChannel,
  { conversationExternalId }: StreamTarget,
): Promise<void> {
  const place = readPlace(conversationExternalId);
  const key = `status/${channel.id}`;
  if (place.kind !== 'thread' || !place.channel.startsWith('D') || refusals.has(key)) return;
  const args = { channel_id: place.channel, thread_ts: place.threadTs, status };
  await api
    .call(channel, 'assistant.threads.setStatus', args, AbortSignal.timeout(callMs))
    .catch((error: unknown) => {
      if (!(error instanceof GatewayError)) throw error;
      if (error.retry === 'never') refusals.remember(key);
    });
}
