import type { z } from 'zod';
import { type Api, api, type OperationName } from './api.ts';
import type { problem } from './common.ts';
import type { AnswerOf, Operation, PathIdsOf } from './operation.ts';

/**
 * The REST API as functions: `client.getTenant({ tenantId })`. Names, ids, queries, bodies and answers are those of the
 * contract, so a call that the service does not know, or says too little to, does not compile.
 */
export type ApiClient = { [Name in OperationName]: (call: CallOf<Api[Name]>) => Promise<Answer<Api[Name]>> };

export type ApiClientOptions = {
  /** Where the service is, without `/api/v1`. */
  baseUrl: string;
  /** An API key or an access token. Without it, what the browser has of a session goes along. */
  bearer?: string;
  fetch?: typeof fetch;
};

/** What an operation is called with: the ids of its path, and what else it takes. */
export type CallOf<Op extends Operation> = Record<PathIdsOf<Op['path']>, string> &
  Given<'query', Op['query']> &
  Given<'body', Op['body']> & {
    /** The `etag` that was seen: another version is not changed. */
    ifMatch?: string;
    /** Makes sending it again harmless; a UUID will do. */
    idempotencyKey?: string;
    signal?: AbortSignal;
  };

type Given<Name extends string, Schema> = Schema extends z.ZodType
  ? Record<never, never> extends z.input<Schema>
    ? { [Key in Name]?: z.input<Schema> }
    : { [Key in Name]: z.input<Schema> }
  : unknown;

export type Answer<Op extends Operation> = {
  body: AnswerOf<Op>;
  /** The version of what was answered, where it has one. */
  etag: string | undefined;
};

type Problem = z.output<typeof problem>;

/** The service has refused a call, or has failed. `code` is for programs, `message` for people. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly status: number;
  readonly code: string;
  readonly requestId: string | undefined;
  /** The places of a request that were not understood. */
  readonly errors: NonNullable<Problem['errors']>;
  /** When it may be tried again, where the service says so. */
  readonly retryAfterSeconds: number | undefined;

  constructor(response: Response, told: Partial<Problem> | undefined) {
    super(told?.detail ?? told?.title ?? `The service answered ${response.status}.`);
    this.status = response.status;
    this.code = told?.code ?? 'unknown';
    this.requestId = told?.requestId ?? response.headers.get('x-request-id') ?? undefined;
    this.errors = told?.errors ?? [];
    const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
    this.retryAfterSeconds = Number.isFinite(retryAfter) ? retryAfter : undefined;
  }
}

/** A client of the API. Its functions reject with an {@link ApiProblem}, or as `fetch` does when nothing answers. */
export function createApiClient(options: ApiClientOptions): ApiClient {
  const functions = Object.entries<Operation>(api).map(([name, operation]) => [
    name,
    (call: LooseCall) => send(options, operation, call),
  ]);
  return Object.fromEntries(functions) as ApiClient;
}

/** Reads a list to its end, page by page: `for await (const one of eachOf(client.listConversations, { tenantId }))`. */
export async function* eachOf<Call extends { query?: { cursor?: string | undefined } }, Item>(
  list: (call: Call) => Promise<{ body: { items: Item[]; nextCursor: string | null } }>,
  call: Call,
): AsyncGenerator<Item, void, undefined> {
  let cursor: string | undefined;
  do {
    const { body } = await list({ ...call, query: { ...call.query, ...(cursor && { cursor }) } });
    yield* body.items;
    cursor = body.nextCursor ?? undefined;
  } while (cursor);
}

type LooseCall = {
  query?: Record<string, unknown>;
  body?: unknown;
  ifMatch?: string;
  idempotencyKey?: string;
  signal?: AbortSignal;
};

async function send(
  { baseUrl, bearer, fetch: send = fetch }: ApiClientOptions,
  operation: Operation,
  call: LooseCall,
): Promise<Answer<Operation>> {
  const headers = new Headers({ accept: 'application/json' });
  if (bearer) headers.set('authorization', `Bearer ${bearer}`);
  // A page of another origin cannot send it, so the service takes it as a sign that ours has asked.
  else headers.set('x-csrf', '1');
  if (call.body !== undefined) headers.set('content-type', 'application/json');
  if (call.ifMatch) headers.set('if-match', call.ifMatch);
  if (call.idempotencyKey) headers.set('idempotency-key', call.idempotencyKey);
  const response = await send(addressOf(baseUrl, operation, call), {
    method: operation.method.toUpperCase(),
    headers,
    ...(call.body !== undefined && { body: JSON.stringify(call.body) }),
    ...(call.signal && { signal: call.signal }),
  });
  const isJson = /[/+]json\b/.test(response.headers.get('content-type') ?? '');
  const told: unknown = isJson ? await response.json() : undefined;
  if (!response.ok) throw new ApiProblem(response, told as Partial<Problem> | undefined);
  return { body: told as undefined, etag: response.headers.get('etag') ?? undefined };
}

function addressOf(baseUrl: string, { path }: Operation, call: LooseCall): string {
  const ids = call as Record<string, unknown>;
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(ids[name])));
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(call.query ?? {}))
    if (value !== undefined) for (const one of [value].flat()) query.append(name, String(one));
  const asked = query.size > 0 ? `?${query}` : '';
  return `${baseUrl.replace(/\/$/, '')}/api/v1${filled}${asked}`;
}
