import { SlackRefusal } from '../refusal.ts';
import { type Channel, isMember, type Message } from '../world.ts';
import type { BotCall } from './method.ts';

/**
 * Finds what a call names among what its token reaches. What is another's is answered as if it were not there, as Slack
 * does, and recorded.
 */

/** @throws {SlackRefusal} channel_not_found */
export function findChannel(call: BotCall, id: string): Channel {
  const { stage, installation, args } = call;
  const reached = stage.installations.teamsOf(installation);
  const wanted = args.text('team_id');
  const teams = wanted !== undefined && reached.includes(wanted) ? [wanted] : reached;
  const found = teams.flatMap((teamId) => stage.world.channel(teamId, id) ?? []).at(0);
  if (!found) {
    const owners = stage.world.teamsWhere(({ channels }) => channels.has(id));
    const others = owners.filter((teamId) => !reached.includes(teamId));
    if (others.length > 0) call.violation(`names the channel ${id} of ${others.join(', ')}`);
    throw new SlackRefusal('channel_not_found');
  }
  if (found.type !== 'channel' && !isMember(found, installation.botUserId)) {
    if (found.type === 'im') call.violation(`names the direct messages ${id} of another app or of people`);
    throw new SlackRefusal('channel_not_found');
  }
  return found;
}

/** @throws {SlackRefusal} channel_not_found, not_in_channel */
export function findOwnChannel(call: BotCall, id: string): Channel {
  const channel = findChannel(call, id);
  if (!isMember(channel, call.installation.botUserId)) throw new SlackRefusal('not_in_channel');
  return channel;
}

/** @throws {SlackRefusal} message_not_found, or `error` */
export function findMessage(
  call: BotCall,
  channel: Channel,
  ts: string,
  error = 'message_not_found',
): Message {
  const found = channel.messages.get(ts);
  if (found && !found.isDeleted) return found;
  if (!found) {
    const others = call.stage.world.teamsWhere(
      ({ teamId, channels }) =>
        teamId !== channel.teamId && channels.get(channel.id)?.messages.has(ts) === true,
    );
    if (others.length > 0) call.violation(`names the message ${channel.id}/${ts} of ${others.join(', ')}`);
  }
  throw new SlackRefusal(error);
}

/** The thread that something is said in; its first message may be deleted. @throws {SlackRefusal} thread_not_found */
export function findThread(call: BotCall, channel: Channel, ts: string): string {
  const found = channel.messages.get(ts) ?? findMessage(call, channel, ts, 'thread_not_found');
  return found.threadTs ?? found.ts;
}
