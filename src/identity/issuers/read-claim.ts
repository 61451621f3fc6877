/**
 * What a token says in a claim: by its name, or by a JSON pointer (RFC 6901) to what is deeper in it
 * (`/realm_access/roles`). Names of claims are often URLs, with dots and slashes in them.
 */
export function readClaim(claims: Readonly<Record<string, unknown>>, name: string): unknown {
  if (!name.startsWith('/')) return own(claims, name);
  return name
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>((value, step) => own(value, step), claims);
}

/** The texts of a claim, which is one or a list of them. */
export function textsOf(claim: unknown): string[] {
  const values = Array.isArray(claim) ? claim : [claim];
  return values.filter((value) => typeof value === 'string').slice(0, textsMax);
}

/** People are in many groups; these many are looked at. */
const textsMax = 1_000;

function own(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}
