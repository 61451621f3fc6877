import { expect, test } from 'vitest';
import { changeSql, isList, type Sql } from './planted-sql.ts';
import { proveWith } from './prove-with.ts';

// The embedded database's session cannot become its owner; a connection whose login is the owner's can.
test('the prover finds a raw query without the tenant, by somebody whom no policy binds', async () => {
  const { findings } = await proveWith(() => ({ wrapScopes: (scopes) => changeSql(scopes, asOwner) }));
  expect(findings).toContainEqual({
    where: expect.stringMatching(/^list/),
    what: expect.stringMatching(/^the mark of/),
  });
}, 120_000);

function asOwner(sql: Sql, text: string): Sql {
  if (!isList(text)) return sql;
  return async (query, parameters) => {
    await sql(`SELECT set_config('role', session_user, true)`);
    return sql(query, parameters);
  };
}

test('the prover finds a policy that lets everybody in', async () => {
  const { findings } = await proveWith(() => ({ wrapScopes: (scopes) => changeSql(scopes, withoutPolicy) }));
  expect(findings).toContainEqual({
    where: expect.stringMatching(/^list/),
    what: expect.stringMatching(/^the mark of/),
  });
}, 120_000);

function withoutPolicy(sql: Sql, text: string): Sql {
  if (!isList(text)) return sql;
  return async (query, parameters) => {
    await sql(`SELECT set_config('role', session_user, true)`);
    for (const table of ['agents', 'channels', 'roles'])
      await sql(`ALTER POLICY own_tenant ON swarmgate.${table} USING (true)`);
    await sql(`SELECT set_config('role', 'swarmgate_tenant', true)`);
    return sql(query, parameters);
  };
}
