import { z } from 'zod';

/** What mail servers take (RFC 5321 §4.5.3.1.3, without the angle brackets). */
const lengthMax = 254;
const address = z.email().max(lengthMax);

/** An address as it is kept and compared: trimmed, lower case; `undefined` when it is none. */
export function normaliseEmail(text: string): string | undefined {
  if (text.length > 2 * lengthMax) return undefined;
  const normalised = text.trim().toLowerCase();
  return address.safeParse(normalised).success ? normalised : undefined;
}
