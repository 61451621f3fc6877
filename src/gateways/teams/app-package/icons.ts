import { crc32, deflateSync } from 'node:zlib';

/** The two icons that Teams wants: in colour on a ground of 192 × 192, and white lines on nothing, 32 × 32. */
export function teamsIcons(): { color: Uint8Array; outline: Uint8Array } {
  return {
    color: png(192, (x, y) => (isMark(x / 192, y / 192) ? [255, 255, 255, 255] : [43, 87, 154, 255])),
    outline: png(32, (x, y) => (isMark(x / 32, y / 32) ? [255, 255, 255, 255] : [255, 255, 255, 0])),
  };
}

/** A speech bubble with three dots, in a square of one by one. */
function isMark(x: number, y: number): boolean {
  const isBubble = x > 0.18 && x < 0.82 && y > 0.22 && y < 0.66;
  const isTail = x > 0.3 && x < 0.46 && y >= 0.66 && y < 0.8 && x - 0.3 < 0.8 - y;
  const isDot = [0.34, 0.5, 0.66].some((middle) => (x - middle) ** 2 + (y - 0.44) ** 2 < 0.045 ** 2);
  return (isBubble || isTail) && !isDot;
}

type Pixel = readonly [red: number, green: number, blue: number, alpha: number];

/** @see https://www.w3.org/TR/png-3/ */
function png(size: number, pixelAt: (x: number, y: number) => Pixel): Uint8Array {
  const rows = Buffer.alloc(size * (1 + size * 4)); // each row begins with its filter: none
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) rows.set(pixelAt(x + 0.5, y + 0.5), y * (1 + size * 4) + 1 + x * 4);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header.set([8, 6, 0, 0, 0], 8); // 8 bits a channel, with alpha
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}
