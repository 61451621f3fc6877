import { createHash, randomBytes } from 'node:crypto';
import type { Uuid } from '#domain/ids.ts';

/**
 * The text of an API key: `sgk_`, a prefix that may be shown, the tenant, and a secret of 256 random bits; all letters and
 * digits, so that a double click selects it and a scanner knows it by its form.
 */
export type ParsedKey = { tenantId: Uuid; prefix: string };

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const prefixLength = 8;
const tenantLength = 22;
const secretLength = 43;
const form = new RegExp(
  `^sgk_([0-9A-Za-z]{${prefixLength}})([0-9A-Za-z]{${tenantLength}})[0-9A-Za-z]{${secretLength}}$`,
);

/** Makes a new key for a tenant. The key is to be shown once; what is kept are its prefix and its hash. */
export function makeKey(tenantId: Uuid): { key: string; prefix: string; hash: Buffer } {
  const prefix = randomPrefix();
  const tenant = toBase62(Buffer.from(tenantId.replaceAll('-', ''), 'hex'), tenantLength);
  const key = `sgk_${prefix}${tenant}${toBase62(randomBytes(32), secretLength)}`;
  return { key, prefix, hash: hashOfKey(key) };
}

/** What a text says of itself if it has the form of a key. Nothing is proved by it. */
export function parseKey(text: string): ParsedKey | undefined {
  const [, prefix, tenant] = form.exec(text) ?? [];
  const tenantId = tenant === undefined ? undefined : uuidOfBase62(tenant);
  return prefix !== undefined && tenantId !== undefined ? { tenantId, prefix } : undefined;
}

/** SHA-256: what it hashes cannot be guessed, so it need not be slow. */
export function hashOfKey(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

// Bytes that would make some digits likelier than others are drawn again.
function randomPrefix(): string {
  const fair = 256 - (256 % digits.length);
  let prefix = '';
  while (prefix.length < prefixLength) {
    const [byte = 255] = randomBytes(1);
    if (byte < fair) prefix += digits[byte % digits.length];
  }
  return prefix;
}

function toBase62(bytes: Uint8Array, length: number): string {
  let value = BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
  let text = '';
  for (let place = 0; place < length; place++) {
    text = digits[Number(value % 62n)] + text;
    value /= 62n;
  }
  return text;
}

function uuidOfBase62(text: string): Uuid | undefined {
  let value = 0n;
  for (const digit of text) value = value * 62n + BigInt(digits.indexOf(digit));
  if (value >= 1n << 128n) return undefined;
  const hex = value.toString(16).padStart(32, '0');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join(
    '-',
  ) as Uuid;
}
