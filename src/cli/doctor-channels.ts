import type { Config } from '#config/config.ts';
import type { Storage } from '../storage.ts';
import { examineSharedApps, type OnSharedApp } from './doctor-shared-apps.ts';
import { examine, type Finding, listed } from './findings.ts';

const shownMax = 5;
const daysBack = 7;

/** What platforms and their channels tell: who wrote and belongs to nobody, what is paused, what may stand twice. */
export async function examineChannels(config: Config, { scopes }: Storage): Promise<Finding[]> {
  const perTenant = async () => {
    const tenants = await scopes.inPlatform((unit) =>
      unit.sql<{ id: string; slug: string }>(
        `SELECT t.id, t.slug FROM directory.tenants t JOIN swarmgate.this_cell h ON h.cell = t.cell ORDER BY t.slug`,
      ),
    );
    const seen: TenantState[] = [];
    for (const { id, slug } of tenants) {
      const [row] = await scopes.inTenant(id, (unit) => unit.sql<Omit<TenantState, 'tenant'>>(stateOfTenant));
      if (row) seen.push({ tenant: slug, ...row });
    }
    return seen;
  };
  const states = perTenant();
  states.catch(() => {}); // each check looks at it

  return [
    examinePlatforms(config),
    await examine('shared apps', async () => {
      const channels = (await states).flatMap(({ tenant, shared }) =>
        shared.map((channel) => ({ tenant, ...channel })),
      );
      return examineSharedApps(channels, config.platforms);
    }),
    await examine('quarantine', async () => {
      const rows = await scopes.inPlatform((unit) => unit.sql<Quarantined>(unclaimedAccounts));
      if (rows.length === 0)
        return { state: 'ok', says: 'nobody wrote from an account that no tenant claims' };
      const names = rows.map(
        ({ platform, kind, app, key, seen }) =>
          `${platform} ${kind.replaceAll('_', ' ')} ${key}${app ? ` (app ${app})` : ''}, ${seen} times`,
      );
      return {
        state: 'warning',
        says: `not kept, because no channel claims it: ${listed(names)}`,
        mend: 'give a tenant a channel for it (docs/apply.md), or remove the app there',
      };
    }),
    await examine('sockets', async () => {
      const rows = await scopes.inPlatform((unit) =>
        unit.sql<{ platform: string; app: string; fault: string }>(faultySockets, [
          config.platforms.discord.app?.applicationId ?? '',
        ]),
      );
      if (rows.length === 0) return { state: 'ok', says: 'no platform refuses one' };
      return {
        state: 'warning',
        says: `not open: ${listed(rows.map(({ platform, app, fault }) => `${platform} ${app}: ${fault}`))}`,
        mend: 'do what it says; the socket is tried again by itself',
      };
    }),
    await examine('channels', async () => {
      const paused = (await states).flatMap(({ tenant, paused }) =>
        paused.map(({ slug, platform, reason }) => `${tenant}/${slug} (${platform}): ${reason}`),
      );
      if (paused.length === 0) return { state: 'ok', says: 'none is paused' };
      return {
        state: 'warning',
        says: `paused: ${listed(paused)}`,
        mend: 'mend what the reason says, then install again or apply the file with the new credentials',
      };
    }),
    await examine('turns', async () => {
      const dead = (await states).flatMap(({ tenant, dead }) =>
        Number(dead) > 0 ? [`${tenant} ${dead}`] : [],
      );
      if (dead.length === 0) return { state: 'ok', says: 'no answer was given up' };
      return {
        state: 'note',
        says: `answers that were given up, by tenant: ${listed(dead)}`,
        mend: 'look with "swarmgate dead-letters list TENANT", then replay or purge them',
      };
    }),
    await examine('deliveries', async () => {
      const all = await states;
      const failed = sum(all.map((state) => Number(state.failed)));
      const doubled = sum(all.map((state) => Number(state.doubled)));
      const says = `in the last ${daysBack} days ${failed} given up, ${doubled} perhaps shown twice after a crash`;
      if (failed + doubled === 0) return { state: 'ok', says };
      const latest = all
        .flatMap(({ tenant, troubled }) => troubled.map((delivery) => ({ tenant, ...delivery })))
        .toSorted((a, b) => b.at.localeCompare(a.at))
        .map(({ tenant, id, error }) => `${tenant} ${id} ${error ?? 'perhaps twice'}`);
      return {
        state: 'note',
        says: `${says}: ${listed(latest, failed + doubled)}`,
        mend: 'look with "swarmgate dead-letters list TENANT"; the log tells what happened to each deliveryId',
      };
    }),
  ];
}

type TenantState = {
  tenant: string;
  paused: { slug: string; platform: string; reason: string }[];
  shared: Omit<OnSharedApp, 'tenant'>[];
  /** Turns that were given up and not put away. */
  dead: string;
  failed: string;
  doubled: string;
  /** The latest of both; `at` is an ISO time. */
  troubled: { id: string; error: string | null; at: string }[];
};
type Quarantined = { platform: string; kind: string; app: string; key: string; seen: string };

// A channel with an address of its own is a simulation's, which pauses it when it ends. What people do not want, or may
// not be sent, is no trouble; a platform's own code may stand behind ours.
const stateOfTenant = `
  WITH troubled AS (
    SELECT e.kind, e.subject, e.created_at FROM swarmgate.events e
      WHERE e.kind IN ('delivery.failed', 'delivery.doubled') AND e.created_at > now() - interval '${daysBack} days'
        AND split_part(coalesce(e.subject ->> 'error', ''), '/', 1)
          NOT IN ('gateway_recipient_opted_out', 'gateway_outside_window')
  )
  SELECT
    coalesce((SELECT jsonb_agg(jsonb_build_object('slug', c.slug, 'platform', c.platform,
        'reason', coalesce(c.status_reason, 'paused by the operator')) ORDER BY c.slug)
      FROM swarmgate.channels c WHERE c.status = 'paused' AND c.removed_at IS NULL AND NOT c.settings ? 'apiUrl'), '[]') AS paused,
    coalesce((SELECT jsonb_agg(jsonb_build_object('slug', c.slug, 'platform', c.platform) ORDER BY c.slug)
      FROM swarmgate.channels c WHERE c.status = 'active' AND c.platform IN ('slack', 'discord', 'teams', 'twilio')
        AND NOT c.settings ?| ARRAY['appId', 'applicationId', 'accountSid', 'apiUrl']), '[]') AS shared,
    (SELECT count(*) FROM swarmgate.turns t WHERE t.state = 'dead' AND t.purged_at IS NULL) AS dead,
    (SELECT count(*) FROM troubled WHERE kind = 'delivery.failed') AS failed,
    (SELECT count(*) FROM troubled WHERE kind = 'delivery.doubled') AS doubled,
    coalesce((SELECT jsonb_agg(jsonb_build_object('id', t.subject ->> 'deliveryId', 'error', t.subject ->> 'error',
        'at', t.created_at)) FROM (SELECT * FROM troubled ORDER BY created_at DESC LIMIT ${shownMax}) t), '[]') AS troubled`;

// The shared bot's ($1), and those of bots that a channel still claims. `APP/plan` and `APP/SHARD` are of one bot.
const faultySockets = `
  SELECT s.platform, split_part(s.app, '/', 1) AS app, max(s.fault) AS fault FROM directory.socket_sessions s
    WHERE s.fault IS NOT NULL AND (split_part(s.app, '/', 1) = $1
      OR EXISTS (SELECT 1 FROM directory.external_keys k
        WHERE k.platform = s.platform AND k.kind = 'socket' AND k.key = split_part(s.app, '/', 1)))
    GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 100`;

// What somebody has claimed since is no concern any more.
const unclaimedAccounts = `
  SELECT q.platform, q.kind, q.app, q.key, q.seen FROM directory.quarantine q
    WHERE NOT EXISTS (SELECT 1 FROM directory.external_keys k
      WHERE k.platform = q.platform AND k.kind = q.kind AND k.app = q.app AND k.key = q.key)
    ORDER BY q.last_seen_at DESC LIMIT 100`;

function examinePlatforms({ platforms, publicUrl }: Config): Finding {
  const { slack, twilio, discord, teams } = platforms;
  const shared = [
    ...(slack.app ? [`Slack app ${slack.app.appId}`] : []),
    ...(discord.app ? [`Discord app ${discord.app.applicationId}`] : []),
    ...(teams.app ? [`Teams bot ${teams.app.appId}`] : []),
    ...(twilio.account ? [`Twilio account ${twilio.account.accountSid}`] : []),
  ];
  if (shared.length === 0)
    return { check: 'platforms', state: 'ok', says: 'no shared app; tenants may bring their own' };
  if (!publicUrl)
    return {
      check: 'platforms',
      state: 'warning',
      says: `${shared.join(', ')}, and PUBLIC_URL is not set`,
      mend: 'set PUBLIC_URL to the address by which the platforms reach this service',
    };
  return { check: 'platforms', state: 'ok', says: `shared: ${shared.join(', ')}` };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, number) => all + number, 0);
}
