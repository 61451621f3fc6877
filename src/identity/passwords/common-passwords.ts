import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
let known: ReadonlySet<string> | undefined;

/**
 * Whether a text in small letters is one of the 49,000 passwords that leaks have most of. The list is loaded when it is
 * first asked for: few processes set passwords, and it takes some megabytes.
 */
export function isMuchUsed(text: string): boolean {
  known ??= new Set(readList()['passwords-common'] as string[]);
  return known.has(text);
}

function readList() {
  const list = require('@zxcvbn-ts/language-common') as typeof import('@zxcvbn-ts/language-common');
  return list.dictionary;
}
