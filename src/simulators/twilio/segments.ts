export type Segments = { encoding: 'GSM-7' | 'UCS-2'; count: number };

/** One segment alone holds more than one of several: those carry a header that joins them (3GPP TS 23.040). */
const limits = { 'GSM-7': { alone: 160, joined: 153 }, 'UCS-2': { alone: 70, joined: 67 } } as const;

/** The default alphabet of 3GPP TS 23.038, and what takes an escape and therefore two septets. */
const basic = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?' +
    '¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
);
const escaped = new Set('\f^{}\\[~]|€');

/** How many segments a text message takes. No character is split between two. */
export function countSegments(text: string): Segments {
  const characters = [...text];
  const encoding = characters.every((one) => basic.has(one) || escaped.has(one)) ? 'GSM-7' : 'UCS-2';
  const sizes = characters.map((one) => (encoding === 'UCS-2' ? one.length : escaped.has(one) ? 2 : 1));
  const { alone, joined } = limits[encoding];
  if (sizes.reduce((sum, size) => sum + size, 0) <= alone) return { encoding, count: 1 };

  let count = 1;
  let used = 0;
  for (const size of sizes) {
    if (used + size > joined) {
      count++;
      used = 0;
    }
    used += size;
  }
  return { encoding, count };
}
