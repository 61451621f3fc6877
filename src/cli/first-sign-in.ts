import { createAuditTrail } from '#audit/create-audit-trail.ts';
import type { Config } from '#config/config.ts';
import { isForThisMachine } from '#config/for-this-machine.ts';
import { offerFirstSignIn } from '#identity/people/first-operator.ts';
import type { Storage } from '../storage.ts';
import { demoTenant } from './demo.ts';

/**
 * The link that signs in whoever sits here, as long as nobody has anything to sign in with; never where others may reach the
 * service.
 */
export async function linkToWelcome(
  config: Config,
  { scopes, keyRing }: Pick<Storage, 'scopes' | 'keyRing'>,
  port: number,
): Promise<string | undefined> {
  if (!isForThisMachine(config)) return undefined;
  const audit = createAuditTrail({ scopes, keyRing });
  const link = await offerFirstSignIn({ scopes, audit }, { tenant: demoTenant });
  return link && `${config.publicUrl ?? `http://localhost:${port}`}/welcome#${link.token}`;
}
