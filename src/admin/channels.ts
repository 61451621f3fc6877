import { type ApplyChannel, applyChannel } from '@swarmgate/contract/apply-file.ts';
import type { Channel, channelOperations } from '@swarmgate/contract/rest/channels.ts';
import { applyMergePatch } from '@swarmgate/contract/rest/merge-patch.ts';
import { AppError } from '#domain/errors.ts';
import { toWire, type Uuid } from '#domain/ids.ts';
import type { KeyRing } from '#kernel/key-ring.ts';
import { checkTenantUrl, ForbiddenUrlError } from '#kernel/url-guard.ts';
import {
  ApplyRefusedError,
  changeChannel,
  createChannel,
  type HeldChannel,
  holdChannel,
  pauseChannel,
  readGivenChannel,
  readRotatedChannel,
  removeChannel,
  resumeChannel,
  type SharedApps,
} from '#tenancy/channel-life.ts';
import type { Unit } from '#tenancy/scopes.ts';
import { explainKeeping } from './channel-refusals.ts';
import type { WantedClaims } from './claims.ts';
import type { Asked, HandlersOf } from './handler.ts';
import { conflict, forbiddenUrl, invalidRequest, notFound } from './refusals.ts';
import { refuseOtherVersion } from './versions.ts';

type ChannelRow = Pick<
  Channel,
  'platform' | 'slug' | 'key' | 'status' | 'settings' | 'accounts' | 'secrets'
> & {
  id: Uuid;
  status_reason: string | null;
  agent_id: Uuid | null;
  version: number;
  created_at: Date;
  updated_at: Date;
};

type AgentOperation = 'listAgents' | 'createAgent' | 'getAgent' | 'updateAgent' | 'deleteAgent';
type ChannelOperations = Omit<typeof channelOperations, AgentOperation>;

type Asker = Pick<Asked, 'tenantId' | 'principal' | 'client'>;
type AskedAbout = Pick<Asked, 'tenantId' | 'seenVersion'> & { ids: { channelId: Uuid } };

export type ChannelHandlerParts = {
  keyRing: KeyRing;
  sharedApps: SharedApps;
  /** Those that an operator has opened to tenants' addresses although they are not public. */
  allowedHosts: readonly string[];
  /** A channel that was changed here is read anew at once. */
  forgetChannel: (tenantId: Uuid, channelId: Uuid) => void;
  /** `undefined`: no such channel. @throws an `AppError` of the code `no_such_channel` that says why it has no link */
  makeInstallLink: (target: {
    tenantId: Uuid;
    channelId: Uuid;
  }) => Promise<{ url: string; expiresAt?: string } | undefined>;
  /** Tells whoever has claimed an account that somebody else wanted it, and whoever wanted it. */
  tellClaimRefused: (asked: Asker, wanted: WantedClaims) => Promise<void>;
  /** How often a tenant may ask whether an account is free. @throws {ProblemError} 429 */
  countClaim: (tenantId: Uuid) => Promise<void>;
};

/** What of a channel says which account it is for. */
const namesAccounts: ReadonlySet<string> = new Set(
  'workspace enterprise appId appToken guild applicationId botToken socket aadTenant accountSid number messagingService key'.split(
    ' ',
  ),
);

// Of what is sealed, the names.
const columns = `c.id, c.platform, c.slug, c.key, CASE WHEN c.removed_at IS NOT NULL THEN 'removed' WHEN c.given_up_at IS NOT NULL THEN 'handed_over' ELSE c.status END AS status,
  c.status_reason, c.agent_id, c.settings, ARRAY(SELECT jsonb_object_keys(c.sealed) ORDER BY 1) AS secrets,
  coalesce((SELECT jsonb_agg(jsonb_build_object('kind', k.kind, 'app', k.app, 'key', k.key) ORDER BY k.kind, k.app, k.key)
    FROM directory.external_keys k WHERE k.tenant_id = c.tenant_id AND k.channel_id = c.id AND k.kind <> 'channel_key'), '[]') AS accounts,
  c.version, c.created_at, c.updated_at`;

export function channelHandlers(parts: ChannelHandlerParts): HandlersOf<ChannelOperations> {
  const { keyRing, forgetChannel } = parts;
  const keeping = { keyRing, sharedApps: parts.sharedApps };

  // Also when they are called; but what can be told now is told to whoever gives it.
  const checkAddresses = (channel: ApplyChannel) => {
    const jwksUrl = channel.platform === 'webchat' ? channel.identity?.jwksUrl : undefined;
    if (jwksUrl !== undefined) checkTenantUrl(jwksUrl, parts.allowedHosts);
  };

  /** What a channel would be with a change, checked as a whole. */
  const readChanged = (given: Record<string, unknown>): ApplyChannel => {
    const read = applyChannel.safeParse(given);
    if (!read.success) throw invalidRequest('body', read.error);
    checkAddresses(read.data);
    return read.data;
  };

  const hold = async (unit: Unit, { tenantId, ids, seenVersion }: AskedAbout): Promise<HeldChannel> => {
    const held = await holdChannel(unit, tenantId, ids.channelId);
    if (!held) throw notFound();
    refuseOtherVersion(held.row.version, seenVersion);
    if (held.isRemoved) throw conflict('channel_removed', 'The channel was removed; make another one.');
    if (held.isGivenUp)
      throw conflict(
        'channel_handed_over',
        'What the channel had claimed was handed over; it ends by itself.',
      );
    return held;
  };

  const changed = async (
    unit: Unit,
    { tenantId, ids: { channelId } }: AskedAbout,
    detail: Record<string, unknown>,
  ) => ({
    ...(await readChannel(unit, channelId)),
    detail,
    afterwards: () => forgetChannel(tenantId, channelId),
  });

  const explain = async (asked: Asker, error: unknown) => {
    if (error instanceof ForbiddenUrlError) return forbiddenUrl(error);
    if (error instanceof ApplyRefusedError && error.wanted) await parts.tellClaimRefused(asked, error.wanted);
    return explainKeeping(error);
  };
  const before = async ({ tenantId, body }: Pick<Asked, 'tenantId'> & { body: object }) => {
    if (Object.keys(body).some((field) => namesAccounts.has(field))) await parts.countClaim(tenantId);
  };

  return {
    listChannels: {
      async inTenant(_asked, unit) {
        const rows = await unit.sql<ChannelRow>(
          `SELECT ${columns} FROM swarmgate.channels c WHERE c.removed_at IS NULL ORDER BY c.slug`,
        );
        return { body: { items: rows.map(show) } };
      },
    },
    createChannel: {
      before,
      async inTenant({ tenantId, body }, unit) {
        checkAddresses(body);
        const id = await createChannel(keeping, unit, tenantId, body);
        return {
          ...(await readChannel(unit, id)),
          resourceId: toWire('channel', id),
          detail: { platform: body.platform, slug: body.slug, given: Object.keys(body) },
        };
      },
      explain,
    },
    getChannel: {
      inTenant: ({ ids }, unit) => readChannel(unit, ids.channelId),
    },
    updateChannel: {
      before,
      async inTenant(asked, unit) {
        const { tenantId, body } = asked;
        const held = await hold(unit, asked);
        const given = await readGivenChannel(keyRing, unit, tenantId, held);
        await changeChannel(keeping, unit, tenantId, held, readChanged(applyMergePatch(given, body)));
        return changed(unit, asked, { changed: Object.keys(body) });
      },
      explain,
    },
    rotateChannelSecret: {
      async inTenant(asked, unit) {
        const { tenantId, body } = asked;
        const held = await hold(unit, asked);
        const given = await readRotatedChannel(keyRing, unit, tenantId, held, body);
        if (!given)
          throw conflict(
            'no_such_secret',
            'The channel has no secret of that name that was given to it; `secrets` lists them. What an installation has brought is renewed by installing again.',
          );
        await changeChannel(keeping, unit, tenantId, held, readChanged(given));
        return changed(unit, asked, { rotated: [body.name] });
      },
      explain,
    },
    pauseChannel: {
      async inTenant(asked, unit) {
        await hold(unit, asked);
        await pauseChannel(unit, asked.ids.channelId, 'paused by somebody who looks after the tenant');
        return changed(unit, asked, {});
      },
    },
    resumeChannel: {
      async inTenant(asked, unit) {
        await hold(unit, asked);
        await resumeChannel(unit, asked.ids.channelId);
        return changed(unit, asked, {});
      },
    },
    createInstallLink: {
      async alone({ tenantId, ids: { channelId } }) {
        const link = await parts.makeInstallLink({ tenantId, channelId });
        if (!link) throw notFound();
        return { body: { url: link.url, expiresAt: link.expiresAt ?? null } };
      },
      async explain(_asked, error) {
        const isRefused = error instanceof AppError && error.code === 'no_such_channel';
        return isRefused ? conflict('not_installable', error.message) : error;
      },
    },
    removeChannel: {
      async inTenant(asked, unit) {
        const { row } = await hold(unit, asked);
        const { body } = await readChannel(unit, asked.ids.channelId);
        await removeChannel(unit, asked.ids.channelId);
        return {
          body: undefined,
          detail: { platform: row.platform, slug: row.slug, released: body.accounts },
          afterwards: () => forgetChannel(asked.tenantId, asked.ids.channelId),
        };
      },
    },
  };
}

/** A channel as it is shown, and its version. */
export async function readChannel(unit: Unit, id: Uuid) {
  const [row] = await unit.sql<ChannelRow>(`SELECT ${columns} FROM swarmgate.channels c WHERE c.id = $1`, [
    id,
  ]);
  if (!row) throw notFound();
  return { body: show(row), version: row.version };
}

function show({ id, agent_id, status_reason, created_at, updated_at, ...row }: ChannelRow): Channel {
  return {
    ...row,
    id: toWire('channel', id),
    statusReason: status_reason,
    agentId: agent_id && toWire('agent', agent_id),
    createdAt: created_at.toISOString(),
    updatedAt: updated_at.toISOString(),
  };
}
