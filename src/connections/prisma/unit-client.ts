import { AsyncLocalStorage } from 'node:async_hooks';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { type Prisma, PrismaClient } from './generated/client.ts';

export type UnitPrisma = Prisma.TransactionClient;

/** Runs typed queries on the connection of a unit that is already open, so that SQL and Prisma share its transaction. */
export interface UnitPrismaClient {
  run<T>(client: pg.PoolClient, work: (prisma: UnitPrisma) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** How long one piece of control-plane work may hold its transaction. */
const workTimeoutMs = 30_000;

/**
 * One Prisma client for the process. Its adapter is given a pool that owns no connection: it lends the connection of the
 * unit from which Prisma was called, and has nothing to lend outside of one.
 */
export function createUnitPrismaClient(): UnitPrismaClient {
  const borrowed = new AsyncLocalStorage<pg.PoolClient>();
  const prisma = new PrismaClient({ adapter: new PrismaPg(new LendingPool(borrowed)) });
  return {
    run: (client, work) =>
      borrowed.run(client, () =>
        prisma.$transaction((transaction) => work(transaction), { timeout: workTimeoutMs }),
      ),
    close: () => prisma.$disconnect(),
  };
}

class LendingPool extends pg.Pool {
  readonly #borrowed: AsyncLocalStorage<pg.PoolClient>;

  constructor(borrowed: AsyncLocalStorage<pg.PoolClient>) {
    super({ max: 1 });
    this.#borrowed = borrowed;
  }

  override connect(): Promise<pg.PoolClient>;
  override connect(
    callback: (error: Error | undefined, client: pg.PoolClient | undefined, done: () => void) => void,
  ): void;
  override connect(): Promise<pg.PoolClient> {
    const client = this.#borrowed.getStore();
    if (!client) return Promise.reject(new Error('There is no connection outside a unit of work.'));
    return Promise.resolve(lend(client));
  }
}

// The unit has begun the transaction and will end it; what Prisma begins inside is a savepoint of it.
const insideTransaction: Readonly<Record<string, string>> = {
  BEGIN: 'SAVEPOINT prisma',
  COMMIT: 'RELEASE SAVEPOINT prisma',
  ROLLBACK: 'ROLLBACK TO SAVEPOINT prisma',
};

function lend(client: pg.PoolClient): pg.PoolClient {
  const lent = {
    query: (config: pg.QueryConfig) =>
      client.query({ ...config, text: insideTransaction[config.text] ?? config.text }),
    on: () => lent,
    removeListener: () => lent,
    release: () => {},
  };
  return lent as unknown as pg.PoolClient;
}
