import type { ApplyChannel } from '@swarmgate/contract/apply-file.ts';
import { describeChannel, restoreChannel, usesSharedApp } from '@swarmgate/contract/channels/catalog.ts';
import type { AccountKey } from '@swarmgate/contract/channels/described-channel.ts';
import type { Uuid } from '#domain/ids.ts';
import type { KeyRing } from '#kernel/key-ring.ts';
import { type ChannelParts, keepChannel, type StoredChannel } from './apply/apply-channels.ts';
import { ApplyRefusedError } from './apply/apply-refused-error.ts';
import { claimsOf, isAmong, noteStatus } from './channel-keeper.ts';
import type { Scopes, Unit } from './scopes.ts';
import { channelSecretPlace } from './seal-places.ts';

export type { ChannelParts, SharedApps } from './apply/apply-channels.ts';
export { ApplyRefusedError } from './apply/apply-refused-error.ts';

/**
 * The life of a tenant's channels where its own members look after them. They are made and changed as an apply makes them,
 * with one rule more: what an operator may say, that an account of a shared app is a tenant's, members have to prove.
 */

/** A channel that is looked after, held until the unit ends. */
export type HeldChannel = { row: StoredChannel; isRemoved: boolean; isGivenUp: boolean };

export async function holdChannel(unit: Unit, tenantId: Uuid, id: Uuid): Promise<HeldChannel | undefined> {
  const held = await unit.sql('SELECT 1 FROM swarmgate.channels WHERE id = $1 FOR UPDATE', [id]);
  if (held.length === 0) return undefined;
  const where = { tenantId_id: { tenantId, id } };
  const row = await unit.prisma((prisma) => prisma.channel.findUniqueOrThrow({ where }));
  return { row, isRemoved: row.removedAt !== null, isGivenUp: row.givenUpAt !== null };
}

/** What of the outside world somebody may claim without an operator: by default nothing that they have not proved. */
export type ClaimProof = { provedClaims?: readonly AccountKey[] };

/** Answers its id. @throws {ApplyRefusedError} */
export async function createChannel(
  parts: ChannelParts,
  unit: Unit,
  tenantId: Uuid,
  channel: ApplyChannel,
  { provedClaims = [] }: ClaimProof = {},
): Promise<Uuid> {
  refuseUnproved(channel, provedClaims);
  const taken = await unit.sql('SELECT 1 FROM swarmgate.channels WHERE slug = $1', [channel.slug]);
  if (taken.length > 0)
    throw new ApplyRefusedError('slug_taken', `There is a channel "${channel.slug}" already.`);
  const { id } = await keepChannel(parts, unit, { tenantId }, channel, undefined);
  return id;
}

/** Makes a channel what it is to be now. @throws {ApplyRefusedError} */
export async function changeChannel(
  parts: ChannelParts,
  unit: Unit,
  tenantId: Uuid,
  { row }: HeldChannel,
  channel: ApplyChannel,
): Promise<void> {
  const place = { tenantId, channelId: row.id as Uuid, platform: row.platform };
  refuseUnproved(channel, await unit.prisma((prisma) => claimsOf(prisma, place)));
  await keepChannel(parts, unit, { tenantId }, channel, row);
}

/** What was given for a channel, secrets opened: what a change is merged into. Not to be shown to anybody. */
export async function readGivenChannel(
  keyRing: KeyRing,
  unit: Unit,
  tenantId: Uuid,
  { row }: HeldChannel,
): Promise<Record<string, unknown>> {
  const platform = row.platform as ApplyChannel['platform'];
  const agent = row.agentId === null ? undefined : await slugOfAgent(unit, row.agentId);
  const given = restoreChannel(
    platform,
    row.settings as Record<string, unknown>,
    openSecrets(keyRing, tenantId, row),
  );
  return { slug: row.slug, platform, ...(agent !== undefined && { agent }), ...given };
}

/** The same with another secret in the place of one. `undefined`: it has none of that name that was given. */
export async function readRotatedChannel(
  keyRing: KeyRing,
  unit: Unit,
  tenantId: Uuid,
  held: HeldChannel,
  { name, secret }: { name: string; secret: string },
): Promise<Record<string, unknown> | undefined> {
  const given = await readGivenChannel(keyRing, unit, tenantId, held);
  if (name === 'identitySecret' && held.row.platform === 'webchat') {
    const identity = given['identity'] as { secret?: string } | undefined;
    return identity?.secret === undefined ? undefined : { ...given, identity: { ...identity, secret } };
  }
  const isSecret = Object.hasOwn(held.row.sealed as object, name) && Object.hasOwn(given, name);
  return isSecret ? { ...given, [name]: secret } : undefined;
}

/** Whether it was active, and is paused with this reason now. */
export async function pauseChannel(unit: Unit, id: Uuid, reason: string): Promise<boolean> {
  return setStatus(unit, id, 'active', 'paused', reason);
}

/** Whether it was paused, and is active now. */
export async function resumeChannel(unit: Unit, id: Uuid): Promise<boolean> {
  return setStatus(unit, id, 'paused', 'active', null);
}

async function setStatus(
  unit: Unit,
  id: Uuid,
  from: string,
  to: string,
  reason: string | null,
): Promise<boolean> {
  const changed = await unit.sql(
    `UPDATE swarmgate.channels SET status = $3, status_reason = $4, version = version + 1, updated_at = now()
       WHERE id = $1 AND status = $2 AND removed_at IS NULL RETURNING id`,
    [id, from, to, reason],
  );
  if (changed.length === 0) return false;
  await noteStatus(unit, id, to === 'active' ? 'channel.resumed' : 'channel.paused');
  return true;
}

/**
 * Ends a channel: nothing comes in by it any more and nothing goes out, what it had claimed is free and its secrets are gone
 * with this commit. Its row stays, because its conversations do.
 */
export async function removeChannel(unit: Unit, id: Uuid): Promise<void> {
  await unit.sql('DELETE FROM directory.external_keys WHERE channel_id = $1', [id]);
  await unit.sql('DELETE FROM swarmgate.install_states WHERE channel_id = $1', [id]);
  // Its name is free again; the sign in what it is called now stands in no name that somebody gives.
  await unit.sql(
    `UPDATE swarmgate.channels SET removed_at = now(), status = 'paused', status_reason = 'the channel was removed',
         slug = slug || '.' || right(id::text, 12), sealed = '{}', settings = settings - 'installation',
         version = version + 1, updated_at = now()
       WHERE id = $1`,
    [id],
  );
}

/** Which tenants have claimed some accounts, `tenantId` aside: to tell them that somebody else wanted them. */
export function findHolders(
  scopes: Scopes,
  tenantId: Uuid,
  platform: string,
  claims: readonly AccountKey[],
): Promise<{ tenantId: Uuid; channelId: Uuid; kind: string; app: string; key: string }[]> {
  return scopes.inPlatform((unit) =>
    unit.sql(
      `SELECT k.tenant_id AS "tenantId", k.channel_id AS "channelId", k.kind, k.app, k.key
         FROM jsonb_to_recordset($3) AS c (kind text, app text, key text)
         JOIN directory.external_keys k ON k.platform = $2 AND k.kind = c.kind AND k.app = c.app AND k.key = c.key
         WHERE k.tenant_id <> $1`,
      [tenantId, platform, JSON.stringify(claims)],
    ),
  );
}

// The shared app sees what everybody writes to it: whoever could name an account there would get what its people say. So it
// is connected by somebody who may install apps in it, or by an operator who knows whose it is.
function refuseUnproved(channel: ApplyChannel, proved: readonly AccountKey[]): void {
  if (!usesSharedApp(channel)) return;
  const claims = describeChannel(channel).claims.filter((claim) => !isAmong(proved, claim));
  const [first] = claims;
  if (!first) return;
  const what = `${first.kind.replaceAll('_', ' ')} ${first.key}`;
  throw new ApplyRefusedError(
    'account_not_proved',
    `The channel "${channel.slug}" wants ${what} of the app that all tenants share, and nothing shows that it is yours. ${ways[channel.platform]}`,
  );
}

const ways: Readonly<Record<ApplyChannel['platform'], string>> = {
  webchat: '',
  slack: 'Leave "workspace" and "enterprise" out, and connect it by the link of the channel (install-link).',
  discord: 'Leave "guild" out, and connect it by the link of the channel (install-link).',
  teams: 'Give a bot of your own (appId, appPassword), or ask an operator, who can name it in an apply file.',
  twilio:
    'Give an account of your own (accountSid, authToken), or ask an operator, who can name it in an apply file.',
};

function openSecrets(
  keyRing: KeyRing,
  tenantId: Uuid,
  { id, sealed }: StoredChannel,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(sealed as Record<string, string>).map(([name, secret]) => [
      name,
      keyRing.open(secret, channelSecretPlace(tenantId, id, name)),
    ]),
  );
}

async function slugOfAgent(unit: Unit, agentId: string): Promise<string | undefined> {
  const [agent] = await unit.sql<{ slug: string }>('SELECT slug FROM swarmgate.agents WHERE id = $1', [
    agentId,
  ]);
  return agent?.slug;
}
