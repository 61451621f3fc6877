import type { OpenChannel, StreamTarget } from '../../gateway.ts';
import type { DiscordApi } from './api.ts';
import type { DestinationFinder } from './destination.ts';

const callMs = 5_000;

/** Shows for ten seconds that the bot is typing. What an interaction shows until it is answered says so already. */
export async function showWorking(
  { api, destinations }: { api: DiscordApi; destinations: DestinationFinder },
  channel: OpenChannel,
  target: StreamTarget,
): Promise<void> {
  const signal = AbortSignal.timeout(callMs);
  const { app, channel: at, ticket } = await destinations.find(channel, target, signal, false);
  if (!ticket) await api.call(app, { method: 'POST', route: `/channels/${at}/typing` }, signal);
}
