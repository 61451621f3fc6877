/**
 * Estimates how many tokens a text takes, on the high side: four characters a token for Latin script, two for other
 * alphabets, one for Chinese, Japanese, Korean and emoji. Tokenizers differ by model and cost megabytes; a budget needs
 * no more than this, and bills go by what the provider reports.
 */
export function estimateTokens(text: string): number {
  let quarters = 0;
  for (let at = 0; at < text.length; at++) quarters += quartersOf(text.charCodeAt(at));
  return Math.ceil(quarters / 4);
}

function quartersOf(codeUnit: number): number {
  if (codeUnit < 0x0250) return 1; // Latin
  if (codeUnit < 0x2e80) return 2; // Greek, Cyrillic, Hebrew, Arabic, the scripts of India
  return 4;
}
