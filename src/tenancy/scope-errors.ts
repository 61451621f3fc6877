import { AppError } from '#domain/errors.ts';

/** The tenant or organization does not exist, or lives in another cell. */
export class TenantNotFoundError extends AppError<'tenant_not_found'> {
  override readonly name = 'TenantNotFoundError';

  constructor(cause: unknown) {
    super('tenant_not_found', 'There is no such tenant or organization in this cell.', { cause });
  }
}

/** A row of another tenant was to be written, or a table that the scope does not reach. Always a fault of ours. */
export class ScopeViolationError extends AppError<'scope_violation'> {
  override readonly name = 'ScopeViolationError';

  constructor(cause: unknown) {
    super('scope_violation', 'The database refused a statement that leaves its scope.', { cause });
  }
}

/** A unique value is taken. `constraint` is the database's name of the rule. */
export class ConflictError extends AppError<'conflict'> {
  override readonly name = 'ConflictError';
  readonly constraint: string | undefined;

  constructor(constraint: string | undefined, cause: unknown) {
    super('conflict', `The value is taken${constraint ? ` (${constraint})` : ''}.`, { cause });
    this.constraint = constraint;
  }
}

/** A unit of work was opened inside another one: on a small pool (and always on the embedded database) that would wait for itself. */
export class NestedUnitError extends AppError<'nested_unit'> {
  override readonly name = 'NestedUnitError';

  constructor(
    what = 'A unit of work is open already; hand its `unit` on instead of opening another one inside it.',
  ) {
    super('nested_unit', what);
  }
}

/** A unit was used after its end, when its connection may be another tenant's. Always a fault of ours: an await is missing. */
export class UnitEndedError extends AppError<'unit_ended'> {
  override readonly name = 'UnitEndedError';

  constructor() {
    super('unit_ended', 'The unit of work has ended; await everything that it is to do inside it.');
  }
}

/** A statement failed and its error was caught, so the database undid the unit although its work seemed to end well. */
export class UnitAbortedError extends AppError<'unit_aborted'> {
  override readonly name = 'UnitAbortedError';

  constructor() {
    super('unit_aborted', 'A statement of the unit had failed: nothing of it was committed.');
  }
}

/** The database is away, starting, full, or out of connections. Nothing was committed. */
export class StorageUnavailableError extends AppError<'storage_unavailable'> {
  override readonly name = 'StorageUnavailableError';

  constructor(cause: unknown) {
    super('storage_unavailable', `The database cannot do it now: ${(cause as Error).message}`, {
      retry: 'later',
      cause,
    });
  }
}

/** Maps what the driver or Prisma threw to an error of ours; rethrows what it does not know. */
export function explainDatabaseError(error: unknown): never {
  if (error instanceof AppError) throw error;
  const { sqlState, constraint } = readDatabaseError(error);
  if (sqlState === 'SG001') throw new TenantNotFoundError(error);
  if (sqlState === '42501') throw new ScopeViolationError(error);
  if (sqlState === '23505') throw new ConflictError(constraint, error);
  if (isUnavailable(sqlState, error)) throw new StorageUnavailableError(error);
  throw error;
}

/** Whether a foreign key has refused it: something refers to what was to go, or what it refers to is not there. */
export function isBrokenReference(error: unknown): boolean {
  return ['23001', '23503'].includes(readDatabaseError(error).sqlState ?? '');
}

type DriverError = {
  code?: string;
  constraint?: string;
  meta?: {
    driverAdapterError?: {
      cause?: { originalCode?: string; code?: string; constraint?: { index?: string; fields?: string[] } };
    };
  };
};

// pg gives the SQLSTATE as `code`; Prisma wraps it and keeps the original inside.
function readDatabaseError(error: unknown): { sqlState: string | undefined; constraint: string | undefined } {
  const driver = error as DriverError;
  const wrapped = driver.meta?.driverAdapterError?.cause;
  return {
    sqlState: wrapped?.originalCode ?? wrapped?.code ?? driver.code,
    constraint: driver.constraint ?? wrapped?.constraint?.index ?? wrapped?.constraint?.fields?.join(', '),
  };
}

// Classes 08 (connection), 40 (deadlock, serialization), 53 (resources: disk full, too many connections), 55 (a lock that
// could not be had), 57 (operator intervention), and a socket's own.
function isUnavailable(sqlState: string | undefined, error: unknown): boolean {
  if (sqlState !== undefined && /^(?:08|40|53|55|57)/.test(sqlState)) return true;
  if (sqlState !== undefined && /^(?:ECONN|ETIMEDOUT|EPIPE|EHOST|ENET|ENOTFOUND|EAI_)/.test(sqlState))
    return true;
  return (
    error instanceof Error &&
    /Connection terminated|not queryable|timeout exceeded when trying to connect|query read timeout/i.test(
      error.message,
    )
  );
}
