import type { Identified, RawRequest, Verified } from '../../gateway.ts';
import { activityOf, tenantOf } from './activity.ts';

/** Whose channel an activity is for: that of the Entra tenant that it comes from. */
export function identifyTeams(request: Verified<RawRequest>): Identified {
  const tenant = tenantOf(activityOf(request));
  if (tenant !== undefined) return { kind: 'accounts', accounts: [{ kind: 'aad_tenant', key: tenant }] };
  return { kind: 'reply', reply: { status: 200, contentType: 'text/plain', body: '' } };
}
