import type { Stage } from '../stage.ts';
import type { Json, SimulatedApp } from '../world.ts';

/** One call of the REST API, as a route sees it. */
export type Call = {
  stage: Stage;
  /** Whose token it was; routes of interactions have none. */
  app: SimulatedApp | undefined;
  parameters: readonly string[];
  body: Json;
  query: URLSearchParams;
  files: readonly { name: string; contentType: string; bytes: Buffer }[];
};

export type Answer = { status: number; body?: unknown };

export type Route = {
  method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  path: RegExp;
  /** `interaction`: its token stands in the path. `client`: by client id and secret in the body. */
  auth: 'bot' | 'interaction' | 'client';
  answer: (call: Call) => Answer;
};

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
export const listOf = (value: unknown): Json[] =>
  Array.isArray(value) ? value.filter((one): one is Json => typeof one === 'object' && one !== null) : [];
