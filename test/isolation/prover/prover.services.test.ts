import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AppError } from '#domain/errors.ts';
import type { Scopes } from '#tenancy/scopes.ts';
import { describeMatrix } from './matrix.ts';
import { changeSql, isList, type Sql } from './planted-sql.ts';
import { type Plant, proveWith } from './prove-with.ts';

test('nothing of one tenant is seen or changed by another, and the matrix says so', async () => {
  const { findings, matrix, seenByItself } = await proveWith();
  expect(findings).toEqual([]);
  // The prover can see: whose it is, sees it.
  expect(seenByItself).toEqual(
    expect.arrayContaining([
      ...['getTenant', 'listAgents', 'listMessages', 'listRoles', 'listApiKeys', 'listTokenIssuers'],
      ...['getOrganization', 'listOrganizationMembers', 'listSignOnConnections', 'listSignOnDomains'],
    ]),
  );
  const page = join(import.meta.dirname, '../../../docs/security/isolation-matrix.md');
  await expect(describeMatrix(matrix)).toMatchFileSnapshot(page);
}, 300_000);

/** A fault of ours each, as somebody could make it, and where the prover is to find it. */
const plants: readonly [what: string, plant: Plant, where: RegExp][] = [
  [
    'a scope that is not the one asked for',
    (isOn) => ({ wrapScopes: (scopes) => mixUpTenants(scopes, isOn) }),
    /^(get|list)/,
  ],
  [
    'a cache without the tenant in its key',
    () => ({ wrapScopes: (scopes) => changeSql(scopes, rememberByText(new Map())) }),
    /^list/,
  ],
  ['a message in a log', () => ({ wrapAgents: () => ({ reply: complain }) }), /^the log$/],
];

test.each(plants)(
  'the prover finds %s',
  async (_, plant, where) => {
    const { findings } = await proveWith(plant);
    expect(findings).toContainEqual({
      where: expect.stringMatching(where),
      what: expect.stringMatching(/^the mark of/),
    });
  },
  120_000,
);

// biome-ignore lint/correctness/useYield: it fails before it says anything
async function* complain({ message }: { message: { text: string } }): AsyncGenerator<never> {
  throw new AppError('broken', `I cannot answer "${message.text}".`);
}

/** Each unit is opened for a tenant that came before, and not for the one that it is asked for. */
function mixUpTenants(scopes: Scopes, isOn: () => boolean): Scopes {
  const seen = new Set<string>();
  return {
    ...scopes,
    inTenant(tenantId, work) {
      seen.add(tenantId);
      const other = [...seen].find((one) => one !== tenantId);
      return scopes.inTenant(isOn() && other !== undefined ? other : tenantId, work);
    },
  };
}

function rememberByText(cache: Map<string, object[]>) {
  return (sql: Sql, text: string): Sql => {
    if (!isList(text)) return sql;
    return async <Row extends object>(query: string, parameters?: readonly unknown[]) => {
      const known = cache.get(query) ?? (await sql<Row>(query, parameters));
      cache.set(query, known);
      return known as Row[];
    };
  };
}
