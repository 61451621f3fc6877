import type { BillingDetails, organizationOperations } from '@swarmgate/contract/rest/organizations.ts';
import type { Uuid } from '#domain/ids.ts';
import type { KeyRing } from '#kernel/key-ring.ts';
import { holdOrganization, keepBillingDetails, readBillingDetails } from '#tenancy/directory.ts';
import type { HandlersOf } from './handler.ts';
import { notFound } from './refusals.ts';
import { refuseOtherVersion } from './versions.ts';

type BillingHandlers = Pick<
  HandlersOf<typeof organizationOperations>,
  'getBillingDetails' | 'setBillingDetails'
>;

// Of whoever pays, which is personal: it leaves here only to who may read it, and stands in no log and no trail.
export function billingHandlers(keyRing: KeyRing): BillingHandlers {
  const placeOf = (organizationId: Uuid) => ({
    ...{ tenantId: organizationId, table: 'billing_details', column: 'details' },
  });
  return {
    getBillingDetails: {
      async inOrganization({ organizationId }, unit) {
        const row = await readBillingDetails(unit, organizationId);
        if (!row) return { body: { email: '', address: '' }, version: 0 };
        const body = JSON.parse(keyRing.open(row.sealed, placeOf(organizationId))) as BillingDetails;
        return { body, version: row.version };
      },
    },
    setBillingDetails: {
      async overOrganization({ organizationId, body, seenVersion }, unit) {
        // Holding the organization makes it one after the other.
        if (!(await holdOrganization(unit, organizationId))) throw notFound();
        refuseOtherVersion((await readBillingDetails(unit, organizationId))?.version ?? 0, seenVersion);
        const sealed = keyRing.seal(JSON.stringify(body), placeOf(organizationId));
        const { version } = await keepBillingDetails(unit, { organizationId, sealed });
        return { body, version, detail: { changed: Object.keys(body) } };
      },
    },
  };
}
