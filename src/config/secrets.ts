import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { ConfigError } from './config-error.ts';

/** 32 bytes under a name. The first of a ring seals, all of them open. */
export type MasterKey = { id: string; bytes: Buffer };

export type MasterKeySource = { kind: 'given'; keys: readonly MasterKey[] } | { kind: 'file'; path: string };

/** Reads `id:base64-32-bytes,…`. `where` is the variable or file that a message names; key material never shows. */
export function parseMasterKeys(text: string, where: string): readonly MasterKey[] {
  const keys = text.split(',').map((entry, index) => {
    const [id = '', encoded = '', ...rest] = entry.trim().split(':');
    const bytes = Buffer.from(encoded, 'base64');
    if (!/^[A-Za-z0-9_-]{1,32}$/.test(id) || rest.length > 0 || bytes.length !== 32) {
      throw new ConfigError(
        where,
        `an entry number ${index + 1} that is not a key (not shown)`,
        'id:base64 of 32 bytes, separated by commas',
      );
    }
    return { id, bytes };
  });
  const ids = new Set(keys.map((key) => key.id));
  if (ids.size < keys.length)
    throw new ConfigError(where, 'two keys with the same id', 'an id of its own for each key');
  return keys;
}

/** Opens the ring; with `make`, makes the key file (mode 0600) when it is not there yet. */
export function loadMasterKeys(source: MasterKeySource, { make }: { make: boolean }): readonly MasterKey[] {
  if (source.kind === 'given') return source.keys;
  if (make) makeKeyFile(source.path);
  else if (!existsSync(source.path))
    throw new ConfigError(source.path, 'no master key', 'the one that the first start made');
  const otherBits = statSync(source.path).mode & 0o077;
  if (otherBits !== 0 && process.platform !== 'win32') {
    throw new ConfigError(
      source.path,
      'keys that other users of this machine may read',
      'mode 0600 (chmod 600)',
    );
  }
  return parseMasterKeys(readFileSync(source.path, 'utf8').trim(), source.path);
}

// A link appears whole or not at all, so a process killed here leaves no half-written key, and of two that start at
// once both end with the same one.
function makeKeyFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}.new`;
  writeFileSync(draft, `local-1:${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
  try {
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}
