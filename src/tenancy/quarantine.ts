import type { Quarantine } from '#gateways/journey.ts';
import { createExpiringCache } from '#kernel/expiring-cache.ts';
import type { Scopes } from './scopes.ts';

/** A workspace that nobody claims may say a lot; it is noted this often. */
const noteEveryMs = 10_000;
const accountsMax = 10_000;
const keyLengthMax = 200;

/** Keeps, for the operator, which accounts wrote to us and belong to nobody. */
export function createQuarantine(scopes: Scopes): Quarantine {
  const recent = createExpiringCache<unknown>(noteEveryMs, accountsMax);
  return async (platform, { kind, app, key }, reason) => {
    const parameters = [platform, kind, app, key.slice(0, keyLengthMax), reason];
    await recent(JSON.stringify(parameters), () => scopes.call('directory.quarantine_v1', parameters));
  };
}
