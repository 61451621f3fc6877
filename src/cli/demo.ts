import { fileURLToPath } from 'node:url';
import { readApplyFile } from '#tenancy/apply/read-apply-file.ts';
import type { App } from '../app.ts';

/** The slug of the tenant that it makes. */
export const demoTenant = 'demo';

const demoFile = fileURLToPath(new URL('../../demo.yaml', import.meta.url));

/** Gives an installation that has nobody in it yet the demo tenant, so that there is somebody to talk to. */
export async function applyDemoIfEmpty(app: App): Promise<boolean> {
  const [row] = await app.storage.scopes.inPlatform((unit) =>
    unit.sql<{ any: boolean }>('SELECT EXISTS (SELECT 1 FROM directory.organizations) AS any'),
  );
  if (row?.any) return false;
  await app.apply(
    readApplyFile(demoFile, () => undefined),
    { dryRun: false },
  );
  return true;
}
