import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConfigError } from './config-error.ts';
import { loadMasterKeys, parseMasterKeys } from './secrets.ts';

const bytes = Buffer.alloc(32, 7);
const encoded = bytes.toString('base64');

describe('a list of master keys', () => {
  test('is read in order', () => {
    const other = Buffer.alloc(32, 8).toString('base64');
    expect(parseMasterKeys(`new:${other}, old:${encoded}`, 'MASTER_KEYS')).toEqual([
      { id: 'new', bytes: Buffer.alloc(32, 8) },
      { id: 'old', bytes },
    ]);
  });

  test.each([
    ['no id', encoded],
    ['an empty id', `:${encoded}`],
    ['an id with a dot', `a.b:${encoded}`],
    ['too few bytes', `a:${Buffer.alloc(31).toString('base64')}`],
    ['too many bytes', `a:${Buffer.alloc(33).toString('base64')}`],
    ['no base64', 'a:hunter2-hunter2-hunter2-hunter2-hunter2!!!'],
    ['a third part', `a:${encoded}:x`],
    ['an empty entry', `a:${encoded},`],
  ])('with %s is refused, and not shown', (_, text) => {
    const read = () => parseMasterKeys(text, 'MASTER_KEYS');
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(/^MASTER_KEYS holds an entry number \d that is not a key \(not shown\)/);
    expect(read).not.toThrow(new RegExp(`hunter2|${encoded.slice(0, 20).replaceAll('+', '\\+')}`));
  });

  test('names each key once', () => {
    expect(() => parseMasterKeys(`a:${encoded},a:${encoded}`, 'MASTER_KEYS')).toThrow(
      /two keys with the same id/,
    );
  });
});

describe('the key file', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'swarmgate-keys-'));
    path = join(folder, 'data', 'master.key');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('is made once, for its owner only, and read again', () => {
    const [made] = loadMasterKeys({ kind: 'file', path }, { make: true });
    expect(made?.id).toBe('local-1');
    expect(made?.bytes).toHaveLength(32);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'data')).mode & 0o777).toBe(0o700);
    expect(loadMasterKeys({ kind: 'file', path }, { make: true })).toEqual([made]);
    expect(readdirSync(join(folder, 'data'))).toEqual(['master.key']);
  });

  test('that others may read is refused', () => {
    loadMasterKeys({ kind: 'file', path }, { make: true });
    for (const mode of [0o640, 0o604, 0o660]) {
      chmodSync(path, mode);
      expect(() => loadMasterKeys({ kind: 'file', path }, { make: true })).toThrow(
        /other users of this machine may read/,
      );
    }
  });

  test('that holds no key is refused, and left as it is', () => {
    mkdirSync(join(folder, 'data'));
    writeFileSync(path, 'something else', { mode: 0o600 });
    expect(() => loadMasterKeys({ kind: 'file', path }, { make: true })).toThrow(ConfigError);
    expect(readFileSync(path, 'utf8')).toBe('something else');
  });
});
