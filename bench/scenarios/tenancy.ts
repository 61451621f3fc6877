import { runSql } from '../servers.ts';
import type { Installation } from '../subjects/swarmgate.ts';
import { compareInstallations } from './compare.ts';
import type { Scenario } from './scenario.ts';

export const tenancy: Scenario = {
  about:
    'what isolation costs: 1,000 tenants, beside one tenant with as many workspaces in a database without row-level security',
  async run(tools) {
    const workspaces = 1_000 * tools.scale;
    const [many, one] = await compareInstallations(tools, [
      { name: '1,000 tenants', tenants: workspaces },
      { name: 'one tenant, no policies', tenants: 1, workspaces, prepare: withoutPolicies },
    ] as const);
    return [
      {
        what: 'replies, 1,000 tenants',
        value: many.repliesPerSecond,
        unit: '/s',
        beside: { what: 'one tenant, no policies', value: one.repliesPerSecond },
        bar: { atLeast: 0.95 },
      },
      {
        what: 'acknowledgements, 1,000 tenants',
        value: many.acksPerSecond,
        unit: '/s',
        beside: { what: 'one tenant, no policies', value: one.acksPerSecond },
      },
    ];
  },
};

/** Only ever in a database that the benchmark has made and drops. */
async function withoutPolicies({ databaseUrl }: Installation): Promise<void> {
  await runSql(
    databaseUrl,
    `DO $$ DECLARE guarded regclass; BEGIN
       FOR guarded IN SELECT oid FROM pg_class WHERE relrowsecurity LOOP
         EXECUTE format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY', guarded);
       END LOOP;
     END $$`,
  );
}
