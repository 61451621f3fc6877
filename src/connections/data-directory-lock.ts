import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DatabaseError } from './database-error.ts';

/**
 * Makes a data directory this process's own until `release`. SQLite's exclusive lock is one the kernel frees the moment
 * the process is gone, killed or not, which no file with a process id in it can promise.
 *
 * @throws {DatabaseError} `database_locked` when another process has it.
 */
export function lockDataDirectory(directory: string): { release(): void } {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const lock = new DatabaseSync(join(directory, 'lock'));
  try {
    lock.exec(
      'PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; CREATE TABLE IF NOT EXISTS lock (held); COMMIT; BEGIN EXCLUSIVE',
    );
  } catch (error) {
    lock.close();
    if (!/locked|busy/i.test(String(error))) throw error;
    throw new DatabaseError(
      'database_locked',
      `The embedded database in ${directory} is in use by another process; stop it first, or give this one a DATA_DIR of its own.`,
      error,
    );
  }
  return { release: () => lock.close() };
}
