import { AsyncLocalStorage } from 'node:async_hooks';
import type { Database } from '#connections/database.ts';
import { createUnitPrismaClient } from '#connections/prisma/unit-client.ts';
import { isUuid } from '#domain/ids.ts';
import { explainDatabaseError, NestedUnitError, UnitAbortedError } from './scope-errors.ts';
import { type OpenUnit, openUnit, type PlatformUnit, type Unit } from './unit.ts';

export type { PlatformUnit, Unit } from './unit.ts';

/**
 * The front door to data. A unit of work is one transaction inside one scope; outside a unit there is no connection.
 * The scope's role and tenant are set in the round trip of BEGIN, and row-level security does the rest.
 */
export interface Scopes {
  /** The rows of one tenant. @throws {TenantNotFoundError} when it does not exist or lives in another cell. */
  inTenant<T>(tenantId: string, work: (unit: Unit) => Promise<T>): Promise<T>;
  /** Reports over the tenants of one organization; no message content. */
  inOrganization<T>(organizationId: string, work: (unit: Unit) => Promise<T>): Promise<T>;
  /** The directory: organizations, tenants, keys; no message content. */
  inPlatform<T>(work: (unit: PlatformUnit) => Promise<T>): Promise<T>;
  /** People: who they are, what they sign in with, where they belong. */
  inIdentity<T>(work: (unit: PlatformUnit) => Promise<T>): Promise<T>;
  /** The audit trails of all tenants and their seals, to be verified; nothing else, and no way into a tenant. */
  inAudit<T>(work: (unit: Unit) => Promise<T>): Promise<T>;
  /**
   * Calls one of the hot path's SQL functions: one statement that sets its own role and tenant, in a transaction of its
   * own. `name` is schema-qualified and a literal of ours, never input. Answers its rows.
   */
  call<Row extends object>(name: HotPathFunction, parameters: readonly unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

export type HotPathFunction = `${'swarmgate' | 'directory' | 'identity'}.${string}_v${number}`;

export function createScopes(database: Database): Scopes {
  const around = new AsyncLocalStorage<OpenUnit>();
  const prisma = createUnitPrismaClient();

  // What was begun inside a unit and runs after its end is in none.
  const isInside = () => around.getStore()?.isOpen === true;

  async function inScope<T>(entry: string, work: (unit: PlatformUnit) => Promise<T>): Promise<T> {
    if (isInside()) throw new NestedUnitError();
    const client = await database.pool.connect().catch(explainDatabaseError);
    const opened = openUnit(client, prisma);
    let broken: Error | undefined;
    try {
      await client.query(`BEGIN; ${entry}`).catch(explainDatabaseError);
      const result = await around.run(opened, () => work(opened.unit));
      opened.end();
      const { command } = await client.query('COMMIT').catch(explainDatabaseError);
      if (command !== 'COMMIT') throw new UnitAbortedError();
      return result;
    } catch (error) {
      opened.end();
      // A connection that cannot even roll back is not given back to the pool.
      await client.query('ROLLBACK').catch((rollbackError: Error) => {
        broken = rollbackError;
      });
      throw error;
    } finally {
      client.release(broken);
    }
  }

  return {
    inTenant: async (tenantId, work) =>
      inScope(`SELECT swarmgate.enter_tenant('${checkedUuid(tenantId)}')`, work),
    inOrganization: async (organizationId, work) =>
      inScope(`SELECT swarmgate.enter_organization('${checkedUuid(organizationId)}')`, work),
    inPlatform: (work) => inScope('SELECT swarmgate.enter_platform()', work),
    inIdentity: (work) => inScope('SELECT swarmgate.enter_identity()', work),
    inAudit: (work) => inScope('SELECT swarmgate.enter_audit()', work),
    async call<Row extends object>(name: HotPathFunction, parameters: readonly unknown[]) {
      if (isInside()) throw new NestedUnitError();
      const places = parameters.map((_, index) => `$${index + 1}`).join(', ');
      const client = await database.pool.connect().catch(explainDatabaseError);
      let broken: Error | undefined;
      try {
        const text = `SELECT * FROM ${name}(${places})`;
        const values = [...parameters];
        return (await client.query<Row & Record<string, unknown>>({ name, text, values })).rows;
      } catch (error) {
        if (!wasRefused(error)) broken = error as Error;
        return explainDatabaseError(error);
      } finally {
        client.release(broken);
      }
    },
    close: () => prisma.close(),
  };
}

// The database said no to a statement and goes on with the connection. The pool's own `query` would give it up: on a server
// that costs a new one, and on the embedded database, which has one session, whoever is next would be met by what is left.
function wasRefused(error: unknown): boolean {
  return (error as { severity?: string }).severity === 'ERROR';
}

// BEGIN and the entry travel as one text, which has no parameters: only a UUID in canonical form may stand in it.
function checkedUuid(id: string): string {
  if (!isUuid(id)) throw new TypeError('A scope is entered by a UUID.');
  return id;
}
