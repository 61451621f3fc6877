import type { Connection } from '#connections/database.ts';
import type { UnitPrisma, UnitPrismaClient } from '#connections/prisma/unit-client.ts';
import { explainDatabaseError, NestedUnitError, UnitEndedError } from './scope-errors.ts';

/** What can be done inside a unit of work. It is of use until the unit ends, and by then everything must be awaited. */
export interface Unit {
  /** One statement with `$1`-style parameters; names are schema-qualified. */
  sql<Row extends object>(text: string, parameters?: readonly unknown[]): Promise<Row[]>;
  /**
   * Typed queries in the same transaction, one piece of work at a time. What `work` wrote is undone if it throws, even
   * when the unit goes on.
   */
  prisma<T>(work: (prisma: UnitPrisma) => Promise<T>): Promise<T>;
}

export interface PlatformUnit extends Unit {
  /** Steps down into one tenant for the rest of the transaction. There is no way back up, nor into another one. */
  becomeTenant(tenantId: string): Promise<void>;
}

export type OpenUnit = {
  readonly unit: PlatformUnit;
  readonly isOpen: boolean;
  /** From here on the unit refuses everything: its connection is somebody else's next. */
  end(): void;
};

export function openUnit(client: Connection, prisma: UnitPrismaClient): OpenUnit {
  let isOpen = true;
  let prismaIsAtWork = false;
  let entered: string | undefined;

  const run = async <Row extends object>(text: string, parameters: readonly unknown[] = []) => {
    if (!isOpen) throw new UnitEndedError();
    const { rows } = await client
      .query<Row & Record<string, unknown>>(text, [...parameters])
      .catch(explainDatabaseError);
    return rows;
  };

  return {
    get isOpen() {
      return isOpen;
    },
    end() {
      isOpen = false;
    },
    unit: {
      sql: run,
      async prisma(work) {
        if (!isOpen) throw new UnitEndedError();
        // Each is a savepoint of the one transaction: of two at once, the end of one would be the other's.
        if (prismaIsAtWork) throw new NestedUnitError('Prisma is at work in this unit; await that first.');
        prismaIsAtWork = true;
        try {
          return await prisma.run(client, work).catch(explainDatabaseError);
        } finally {
          prismaIsAtWork = false;
        }
      },
      async becomeTenant(tenantId) {
        if (entered === tenantId) return;
        await run('SELECT swarmgate.enter_tenant($1)', [tenantId]);
        entered = tenantId;
      },
    },
  };
}
