/**
 * How many segments a text message is billed as (3GPP TS 23.038, GSM 7-bit default alphabet and its extension table). A
 * text all of whose characters are in that alphabet holds 160 of them, or 153 in each segment of several; any other text
 * is UCS-2, 70 UTF-16 units, or 67 in each of several. Neither an extended character nor a surrogate pair is ever split.
 */
export function countSegments(text: string): number {
  const characters = [...text];
  const septets = characters.map(septetsOf);
  if (!septets.includes(0)) return pack(septets, 160, 153);
  return pack(
    characters.map((character) => character.length),
    70,
    67,
  );
}

const basicAlphabet = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
);
const extendedAlphabet = new Set('\f^{}\\[~]|€');

/** 0: not in the alphabet. */
function septetsOf(character: string): number {
  if (basicAlphabet.has(character)) return 1;
  return extendedAlphabet.has(character) ? 2 : 0;
}

function pack(sizes: readonly number[], aloneMax: number, eachMax: number): number {
  if (sizes.reduce((sum, size) => sum + size, 0) <= aloneMax) return 1;
  let segments = 1;
  let filled = 0;
  for (const size of sizes) {
    if (filled + size > eachMax) {
      segments++;
      filled = 0;
    }
    filled += size;
  }
  return segments;
}

/** A count of segments as Twilio tells it: a message that is not split yet has 0, which is none. */
export function readSegments(text: string | undefined): number | undefined {
  const segments = Number(text);
  return Number.isInteger(segments) && segments > 0 ? segments : undefined;
}
