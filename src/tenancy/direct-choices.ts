import type { Platform } from '#gateways/gateway.ts';
import type { DirectChoices } from '#gateways/journey.ts';
import type { Scopes } from './scopes.ts';

type Choice = NonNullable<Awaited<ReturnType<DirectChoices['find']>>>;

/** Whom people's direct messages to the apps of a platform are for. */
export function createDirectChoices(scopes: Scopes, platform: Platform): DirectChoices {
  return {
    async find(app, { person, direct }) {
      const [row] = await scopes.call<{ find_direct_v1: Choice | null }>('directory.find_direct_v1', [
        platform,
        app,
        person ?? null,
        direct ?? null,
      ]);
      return row?.find_direct_v1 ?? undefined;
    },
    async choose(app, person, account, direct, atMs) {
      const [row] = await scopes.call<{ choose_direct_v2: boolean }>('directory.choose_direct_v2', [
        ...[platform, app, person, account, direct, atMs],
      ]);
      return row?.choose_direct_v2 ?? false;
    },
    async recheck(app, person, { account, chosenAtMs }) {
      await scopes.call('directory.recheck_direct_v1', [platform, app, person, account, chosenAtMs]);
    },
    async forget(app, person, { account, chosenAtMs }) {
      await scopes.call('directory.forget_direct_v2', [platform, app, person, account, chosenAtMs]);
    },
    async accountsOf(app, { person, direct }, atMs) {
      const rows = await scopes.call<{ account: string }>('directory.list_direct_accounts_v1', [
        ...[platform, app, person ?? null, direct ?? null, atMs],
      ]);
      return rows.map(({ account }) => account);
    },
    async list(app, limit) {
      const rows = await scopes.call<{ person: string; direct: string; since_ms: number }>(
        'directory.list_directs_v1',
        [platform, app, limit],
      );
      return rows.map(({ person, direct, since_ms: chosenAtMs }) => ({ person, direct, chosenAtMs }));
    },
  };
}
