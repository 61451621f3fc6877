/** As much of CBOR (RFC 8949) as authenticators speak: whole numbers, bytes, texts, lists and maps. */
function cborOf(value: unknown): Buffer {
  if (typeof value === 'number') return value >= 0 ? head(0, value) : head(1, -1 - value);
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
  if (typeof value === 'string') {
    const text = Buffer.from(value);
    return Buffer.concat([head(3, text.length), text]);
  }
  if (Array.isArray(value)) return Buffer.concat([head(4, value.length), ...value.map(cborOf)]);
  if (value instanceof Map) return cborMap([...value]);
  throw new TypeError(`No CBOR is made of ${String(value)}.`);
}

/** A map, its entries in the order given. */
export function cborMap(entries: readonly (readonly [unknown, unknown])[]): Buffer {
  return Buffer.concat([head(5, entries.length), ...entries.flatMap((entry) => entry.map(cborOf))]);
}

function head(majorType: number, value: number): Buffer {
  const type = majorType << 5;
  if (value < 24) return Buffer.from([type | value]);
  if (value < 0x100) return Buffer.from([type | 24, value]);
  const bytes = Buffer.alloc(value < 0x10000 ? 3 : 5);
  bytes.writeUInt8(type | (value < 0x10000 ? 25 : 26));
  if (value < 0x10000) bytes.writeUInt16BE(value, 1);
  else bytes.writeUInt32BE(value, 1);
  return bytes;
}
