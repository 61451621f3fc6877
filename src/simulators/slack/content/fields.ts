import { isJson, type Json } from '../json.ts';

/** What is wrong with a part of a message, with the place where it stands. */
export class ContentFault extends Error {
  override readonly name = 'ContentFault';

  constructor(what: string, at: string) {
    super(`${what} [json-pointer:${at}]`);
  }
}

export function requireObject(value: unknown, at: string): Json {
  if (!isJson(value)) throw new ContentFault('must be an object', at);
  return value;
}

export function requireList(
  value: unknown,
  at: string,
  range: { min?: number; max?: number } = {},
): unknown[] {
  if (!Array.isArray(value)) throw new ContentFault('must be a list', at);
  const { min = 0, max = Number.POSITIVE_INFINITY } = range;
  if (value.length < min) throw new ContentFault(`must have at least ${min} items`, at);
  if (value.length > max) throw new ContentFault(`must have at most ${max} items`, at);
  return value;
}

/** A text with something in it. */
export function requireText(value: unknown, at: string, lengthMax = Number.POSITIVE_INFINITY): string {
  if (typeof value !== 'string') throw new ContentFault('must be a string', at);
  if (value.length === 0) throw new ContentFault('must be more than 0 characters', at);
  if (value.length > lengthMax) throw new ContentFault(`must be less than ${lengthMax + 1} characters`, at);
  return value;
}

export function requireOneOf(value: unknown, allowed: readonly unknown[], at: string): void {
  if (!allowed.includes(value)) throw new ContentFault(`must be one of ${allowed.join(', ')}`, at);
}

export function refuseUnknownFields(value: Json, known: readonly string[], at: string): void {
  for (const name of Object.keys(value)) {
    if (!known.includes(name)) throw new ContentFault(`invalid additional property: ${name}`, at);
  }
}
