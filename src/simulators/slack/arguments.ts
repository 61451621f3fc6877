import { isJson, type Json } from './json.ts';
import { refuseArgument } from './refusal.ts';

/** The arguments of a call. A form holds lists and objects as JSON in its fields. */
export type Arguments = ReturnType<typeof readArguments>;

export function readArguments(given: Json) {
  function text(name: string): string | undefined {
    const value = given[name];
    if (value === undefined || value === null || value === '') return undefined;
    if (typeof value === 'object') throw refuseArgument('invalid_arguments', `must be a string: ${name}`);
    return String(value);
  }

  function parsed(name: string, error: string): unknown {
    const value = given[name];
    if (typeof value !== 'string') return value ?? undefined;
    if (value === '') return undefined;
    try {
      return JSON.parse(value);
    } catch {
      throw refuseArgument(error, `must be JSON: ${name}`);
    }
  }

  return {
    given,
    text,

    required(name: string): string {
      const value = text(name);
      if (value === undefined) throw refuseArgument('invalid_arguments', `missing required field: ${name}`);
      return value;
    },

    isTrue: (name: string): boolean => ['true', '1'].includes(String(given[name])),

    /** A list of objects; `undefined` when it is not given. */
    list(name: string, error = 'invalid_arguments'): Json[] | undefined {
      const value = parsed(name, error);
      if (value === undefined) return undefined;
      if (!Array.isArray(value) || !value.every(isJson))
        throw refuseArgument(error, `must be a list of objects: ${name}`);
      return value;
    },

    object(name: string, error = 'invalid_arguments'): Json | undefined {
      const value = parsed(name, error);
      if (value === undefined) return undefined;
      if (!isJson(value)) throw refuseArgument(error, `must be an object: ${name}`);
      return value;
    },
  };
}
