import type pg from 'pg';
import { classification } from './classification.ts';
import { relationRules } from './relation-rules.ts';
import { roleRules } from './role-rules.ts';
import type { Found } from './rule.ts';

/** Every way around row-level security that the catalogue alone shows, as `rule: object`. Reads only. */
export async function findHoles(client: pg.ClientBase): Promise<string[]> {
  const { rows: extensions } = await client.query<{ extname: string }>(
    'SELECT extname FROM pg_catalog.pg_extension',
  );
  const installed = extensions.map(({ extname }) => extname);
  const tables = Object.fromEntries(
    Object.entries(classification).filter(
      ([, table]) => table.kind !== 'tenant' || !table.extension || installed.includes(table.extension),
    ),
  );

  const holes: string[] = [];
  for (const { name, query, judge } of [...relationRules(tables), ...roleRules(tables)]) {
    const { rows } = await client.query<Found>(query);
    const found = judge ? judge(rows) : rows.map((row) => row.found);
    holes.push(...found.map((hole) => `${name}: ${hole}`));
  }
  return holes.sort();
}
