import { PermissionFlagsBits } from 'discord-api-types/v10';
import { type Fields, fieldsOf, idOf, rowsOf } from '../inbound/payload.ts';

/** `unseen`: nothing that is said there reaches the bot; `unread`: it hears, and may not read what was said before. */
export type Sight = 'all' | 'unread' | 'unseen';

/**
 * What a bot may read in a channel of a server, as `GUILD_CREATE` tells: Discord counts each call that it has to refuse.
 * `all` where the server does not say enough. @see https://discord.com/developers/docs/topics/permissions#permission-overwrites
 */
export function sightOf(guild: Fields, channel: Fields, bot: { user: string; applicationId: string }): Sight {
  const roles = rowsOf(guild['roles']);
  if (!roles.some(({ permissions }) => bitsOf(permissions) !== undefined)) return 'all';
  const member = rowsOf(guild['members']).find(({ user }) => fieldsOf(user)['id'] === bot.user);
  const given = Array.isArray(member?.['roles']) ? (member['roles'] as unknown[]) : [];
  const ofBot = roles.filter(
    ({ id, tags }) =>
      id === guild['id'] || given.includes(id) || fieldsOf(tags)['bot_id'] === bot.applicationId,
  );
  const base = ofBot.reduce((bits, { permissions }) => bits | (bitsOf(permissions) ?? 0n), 0n);
  if (guild['owner_id'] === bot.user || (base & PermissionFlagsBits.Administrator) !== 0n) return 'all';

  const rules = rowsOf(placeOf(guild, channel)['permission_overwrites']);
  const forAll = rules.filter(({ id }) => id === guild['id']);
  const forRoles = rules.filter(({ id }) => id !== guild['id'] && ofBot.some((role) => role['id'] === id));
  const forMember = rules.filter(({ id }) => id === bot.user);
  const bits = [forAll, forRoles, forMember].reduce(overwrite, base);
  if ((bits & PermissionFlagsBits.ViewChannel) === 0n) return 'unseen';
  return (bits & PermissionFlagsBits.ReadMessageHistory) === 0n ? 'unread' : 'all';
}

/** Threads have the permissions of their channel. */
function placeOf(guild: Fields, channel: Fields): Fields {
  const parent = idOf(channel['parent_id']);
  const isThread = rowsOf(guild['threads']).some(({ id }) => id === channel['id']);
  return (isThread && rowsOf(guild['channels']).find(({ id }) => id === parent)) || channel;
}

function overwrite(bits: bigint, rules: readonly Fields[]): bigint {
  const denied = rules.reduce((all, { deny }) => all | (bitsOf(deny) ?? 0n), 0n);
  const allowed = rules.reduce((all, { allow }) => all | (bitsOf(allow) ?? 0n), 0n);
  return (bits & ~denied) | allowed;
}

function bitsOf(value: unknown): bigint | undefined {
  return typeof value === 'string' && /^\d{1,40}$/.test(value) ? BigInt(value) : undefined;
}
