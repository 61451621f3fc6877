import { AppError } from '#domain/errors.ts';

export type DatabaseFault =
  | 'database_unreachable'
  | 'database_locked'
  | 'database_not_migrated'
  | 'database_refused';

/** The database cannot be reached, opened or used as it is. The message says what to do. */
export class DatabaseError extends AppError<DatabaseFault> {
  override readonly name = 'DatabaseError';

  constructor(code: DatabaseFault, message: string, cause?: unknown) {
    super(code, message, { retry: code === 'database_unreachable' ? 'later' : 'never', cause });
  }
}
