import type { AppOverrides } from '../../../src/app.ts';
import { aService } from '../../support/a-service.ts';
import { wakeByHand } from '../../support/wake-by-hand.ts';
import { aMarkedTenant } from './marked-tenant.ts';
import { type Proof, prove } from './prove.ts';

/** A fault that somebody could make, which begins once the tenants are there. */
export type Plant = (isOn: () => boolean) => AppOverrides;

/**
 * Two tenants that are easy to take for each other, and all that one can do to get at the other's. With a fault planted
 * it is enough to look at what comes out by itself.
 */
export async function proveWith(plant?: Plant): Promise<Proof> {
  const { wake, wrapQueue } = wakeByHand();
  let isOn = false;
  const overrides = { wrapQueue, ...plant?.(() => isOn) };
  const service = await aService({ tenants: [], env: { TRUSTED_PROXIES: '127.0.0.1' }, overrides });
  const theirs = await aMarkedTenant(service, 'acme-1');
  const ours = await aMarkedTenant(service, 'acme');
  isOn = true;
  return prove({ service, ours, theirs, wake, reaches: !plant });
}
