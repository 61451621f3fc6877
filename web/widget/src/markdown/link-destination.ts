export type Destination = { address: string; end: number };

/**
 * Reads `(address "title")` at `start`. Any bracket ends the search, so that the searches of a whole text never overlap
 * and their sum stays linear; an address that needs brackets has them percent-encoded.
 */
export function readDestination(source: string, start: number): Destination | undefined {
  if (source.charAt(start) !== '(') return undefined;

  const angled = source.charAt(start + 1) === '<';
  const addressStart = start + (angled ? 2 : 1);
  const addressEnd = angled ? angledEnd(source, addressStart) : plainEnd(source, addressStart);
  if (addressEnd === undefined) return undefined;

  const end = titleEnd(source, angled ? addressEnd + 1 : addressEnd);
  return end === undefined ? undefined : { address: source.slice(addressStart, addressEnd), end };
}

function angledEnd(source: string, start: number): number | undefined {
  for (let at = start; at < source.length; at += 1) {
    const character = source.charAt(at);
    if (character === '>') return at;
    if (/[<[\]\n]/.test(character)) return undefined;
  }
  return undefined;
}

/** Balanced parentheses belong to the address: https://en.wikipedia.org/wiki/Bee_(insect). */
function plainEnd(source: string, start: number): number | undefined {
  let depth = 0;
  for (let at = start; at < source.length; at += 1) {
    const character = source.charAt(at);
    if (character === '(') depth += 1;
    else if (character === ')') {
      if (depth === 0) return at;
      depth -= 1;
    } else if (/\s/.test(character)) return depth === 0 ? at : undefined;
    else if (/[<[\]]/.test(character)) return undefined;
  }
  return undefined;
}

/** The title is read over: a chat has no place for a tooltip. */
function titleEnd(source: string, start: number): number | undefined {
  let quote = '';
  for (let at = start; at < source.length; at += 1) {
    const character = source.charAt(at);
    if (/[[\]\n]/.test(character)) return undefined;
    if (quote) {
      if (character === quote) quote = '';
    } else if (character === ')') return at + 1;
    else if (character === '"' || character === "'") quote = character;
    else if (character !== ' ') return undefined;
  }
  return undefined;
}
