import { createHash } from 'node:crypto';

type Known<Claims> = { kid: string; expiresAtMs: number; claims: Claims };

/**
 * Remembers tokens whose signature and claims were found good, so that a program that calls again and again has them
 * looked at once. Known by the hash of all of a token's text: one that differs in a sign is another. Of each the caller has
 * still to ask whether its key is good. Forgets who was not seen for longest.
 */
export function createKnownTokens<Claims>(sizeMax: number, nowMs: () => number) {
  const known = new Map<string, Known<Claims>>();

  return {
    /** Only until it expires; what has expired is looked at as if it were new. */
    find(token: string): Known<Claims> | undefined {
      const name = nameOf(token);
      const found = known.get(name);
      if (!found) return undefined;
      known.delete(name);
      if (found.expiresAtMs <= nowMs()) return undefined;
      known.set(name, found);
      return found;
    },
    keep(token: string, found: Known<Claims>): void {
      known.set(nameOf(token), found);
      const [oldest] = known.keys();
      if (known.size > sizeMax && oldest !== undefined) known.delete(oldest);
    },
  };
}

function nameOf(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}
