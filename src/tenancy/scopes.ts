import { AsyncLocalStorage } from 'node:async_hooks';
import type { Database } from '#connections/database.ts';
import { createUnitPrismaClient, type UnitPrisma } from '#connections/prisma/unit-client.ts';
import { AppError } from '#domain/errors.ts';
import { isUuid } from '#domain/ids.ts';
import { explainDatabaseError } from './scope-errors.ts';

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
  /**
   * Calls one of the hot path's SQL functions: one statement that sets its own role and tenant, in a transaction of its
   * own. `name` is schema-qualified and a literal of ours, never input. Answers its rows.
   */
  call<Row extends object>(name: HotPathFunction, parameters: readonly unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

export interface Unit {
  /** One statement with `$1`-style parameters; names are schema-qualified. */
  sql<Row extends object>(text: string, parameters?: readonly unknown[]): Promise<Row[]>;
  /** Typed queries in the same transaction. What `work` wrote is undone if it throws, even when the unit goes on. */
  prisma<T>(work: (prisma: UnitPrisma) => Promise<T>): Promise<T>;
}

export interface PlatformUnit extends Unit {
  /** Steps down into one tenant for the rest of the transaction. There is no way back up. */
  becomeTenant(tenantId: string): Promise<void>;
}

export type HotPathFunction = `${'swarmgate' | 'directory'}.${string}_v${number}`;

/** A unit was opened inside another one: on a small pool (and always on the embedded database) that would wait for itself. */
export class NestedUnitError extends AppError<'nested_unit'> {
  override readonly name = 'NestedUnitError';

  constructor() {
    super(
      'nested_unit',
      'A unit of work is open already; hand its `unit` on instead of opening another one inside it.',
    );
  }
}

export function createScopes(database: Database): Scopes {
  const open = new AsyncLocalStorage<true>();
  const prisma = createUnitPrismaClient();

  async function inScope<T>(entry: string, work: (unit: PlatformUnit) => Promise<T>): Promise<T> {
    if (open.getStore()) throw new NestedUnitError();
    const client = await database.pool.connect().catch(explainDatabaseError);
    const unit: PlatformUnit = {
      sql: async <Row extends object>(text: string, parameters: readonly unknown[] = []) =>
        (await client.query<Row & Record<string, unknown>>(text, [...parameters]).catch(explainDatabaseError))
          .rows,
      prisma: (typedWork) => prisma.run(client, typedWork).catch(explainDatabaseError),
      becomeTenant: async (tenantId) => {
        await client.query('SELECT swarmgate.enter_tenant($1)', [tenantId]).catch(explainDatabaseError);
      },
    };
    let broken: Error | undefined;
    try {
      await client.query(`BEGIN; ${entry}`).catch(explainDatabaseError);
      const result = await open.run(true, () => work(unit));
      await client.query('COMMIT').catch(explainDatabaseError);
      return result;
    } catch (error) {
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
    inTenant: (tenantId, work) => inScope(`SELECT swarmgate.enter_tenant('${checkedUuid(tenantId)}')`, work),
    inOrganization: (organizationId, work) =>
      inScope(`SELECT swarmgate.enter_organization('${checkedUuid(organizationId)}')`, work),
    inPlatform: (work) => inScope('SELECT swarmgate.enter_platform()', work),
    async call<Row extends object>(name: HotPathFunction, parameters: readonly unknown[]) {
      if (open.getStore()) throw new NestedUnitError();
      const places = parameters.map((_, index) => `$${index + 1}`).join(', ');
      const { rows } = await database.pool
        .query<Row & Record<string, unknown>>({
          name,
          text: `SELECT * FROM ${name}(${places})`,
          values: [...parameters],
        })
        .catch(explainDatabaseError);
      return rows;
    },
    close: () => prisma.close(),
  };
}

// BEGIN and the entry travel as one text, which has no parameters: only a UUID in canonical form may stand in it.
function checkedUuid(id: string): string {
  if (!isUuid(id)) throw new TypeError('A scope is entered by a UUID.');
  return id;
}
