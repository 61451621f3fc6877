import type { RawRequest } from '../gateway.ts';

/** Every value of every parameter of a form, as they were sent: what a signature covers. */
export function readFormValues(body: Buffer): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(body.toString('utf8'))) {
    const known = values.get(name);
    if (known) known.push(value);
    else values.set(name, [value]);
  }
  return values;
}

/** Reads one parameter of a request by its name: its first value, `undefined` when it is absent or empty. */
export type ReadParameter = (name: string) => string | undefined;

/** Without NUL characters, which a database does not keep in a text. */
export function parametersOf(request: RawRequest): ReadParameter {
  const values = readFormValues(request.body);
  return (name) => values.get(name)?.[0]?.replaceAll('\0', '') || undefined;
}
