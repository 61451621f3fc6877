import type { KeyRing, SealPlace } from '#kernel/key-ring.ts';

/** What a row's sealed secrets become: those that stay the same keep their ciphertext, so that a second apply changes nothing. */
export function resealChanged(
  keyRing: KeyRing,
  wanted: Readonly<Record<string, string | undefined>>,
  known: Readonly<Record<string, string>>,
  placeOf: (name: string) => SealPlace,
): { sealed: Record<string, string>; same: boolean } {
  const sealed: Record<string, string> = {};
  let same = true;
  for (const [name, secret] of Object.entries(wanted)) {
    if (secret === undefined) continue;
    const old = known[name];
    if (old !== undefined && keyRing.open(old, placeOf(name)) === secret) {
      sealed[name] = old;
      continue;
    }
    sealed[name] = keyRing.seal(secret, placeOf(name));
    same = false;
  }
  return { sealed, same: same && Object.keys(known).every((name) => name in sealed) };
}
