import { type DestinationStream, destination, pino } from 'pino';
import { currentContext } from './context.ts';
import { scrub } from './scrub.ts';

/** A plain message and named fields, which hold ids, codes, counts and times; never message text, never a secret. */
export type Log = (fields: LogFields, message: string) => void;

export type Logger = Readonly<Record<'debug' | 'info' | 'warn' | 'error' | 'fatal', Log>>;

/** Every field that a line may have. Headers, bodies and texts come along easily, so what is not named here does not. */
const fieldNames = [
  ...['requestId', 'tenantId', 'conversationId', 'turnId', 'deliveryId', 'webhookId'],
  ...['code', 'reason', 'status', 'method', 'path', 'signal'],
  ...['attempt', 'fence', 'delayMs', 'count', 'model', 'queue', 'port', 'roles'],
] as const;

export type LogFields = { err?: unknown } & {
  readonly [Name in (typeof fieldNames)[number]]?: Plain | readonly Plain[] | undefined;
};

type Plain = string | number | boolean;

const textLengthMax = 1_000;

/** JSON lines to `target` (standard output by default), each scrubbed of secrets by form. */
export function createLogger(
  level: string,
  target: DestinationStream = destination({ fd: 1, sync: false }),
): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: keepNamed },
      mixin: () => ({ ...currentContext() }),
      serializers: { err: describeError },
    },
    { write: (line: string) => target.write(scrub(line)) },
  );
}

const names = new Set<string>(['err', ...fieldNames]);

// Types are gone when it runs, and a spread brings more than they show. What is left out is said by its name.
function keepNamed(fields: Record<string, unknown>): Record<string, unknown> {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined && value !== null);
  const kept = given.filter(([name, value]) => name === 'err' || (names.has(name) && isPlain(value)));
  const leftOut = given.filter((entry) => !kept.includes(entry)).map(([name]) => shorten(name));
  return {
    ...Object.fromEntries(
      kept.map(([name, value]) => [name, typeof value === 'string' ? shorten(value) : value]),
    ),
    ...(leftOut.length > 0 && { leftOut }),
  };
}

function isPlain(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((item) => !Array.isArray(item) && isPlain(item));
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

type DescribedError = {
  type: string;
  code?: string;
  message: string;
  stack?: string;
  cause?: DescribedError;
};

// An allow-list: errors of libraries carry requests, headers and bodies as properties.
function describeError(error: unknown, depth = 0): DescribedError {
  if (!(error instanceof Error)) return { type: typeof error, message: shorten(String(error)) };
  const code = (error as { code?: unknown }).code;
  return {
    type: error.name,
    ...(typeof code === 'string' && { code }),
    message: shorten(error.message),
    ...(error.stack && { stack: framesOf(error.stack) }),
    ...(error.cause !== undefined && depth < 3 && { cause: describeError(error.cause, depth + 1) }),
  };
}

// The stack says the message again, whole.
function framesOf(stack: string): string {
  return stack.slice(Math.max(stack.search(/^\s+at /m), 0)).slice(0, 4 * textLengthMax);
}

function shorten(text: string): string {
  return text.length > textLengthMax ? `${text.slice(0, textLengthMax)}…` : text;
}
