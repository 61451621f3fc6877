import { type DestinationStream, destination, type Logger as PinoLogger, pino } from 'pino';
import { currentContext } from './context.ts';
import { scrub } from './scrub.ts';

/**
 * Log calls take a plain message and named fields. Fields hold ids, codes, counts and times; never message text,
 * never a secret.
 */
export type Logger = Pick<PinoLogger, 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'isLevelEnabled'>;

/** JSON lines to `target` (standard output by default), each scrubbed of secrets by form. */
export function createLogger(
  level: string,
  target: DestinationStream = destination({ fd: 1, sync: true }),
): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      mixin: () => ({ ...currentContext() }),
      serializers: { err: describeError },
    },
    { write: (line: string) => target.write(scrub(line)) },
  );
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
  if (!(error instanceof Error)) return { type: typeof error, message: String(error) };
  const code = (error as { code?: unknown }).code;
  return {
    type: error.name,
    ...(typeof code === 'string' && { code }),
    message: error.message,
    ...(error.stack && { stack: error.stack }),
    ...(error.cause !== undefined && depth < 3 && { cause: describeError(error.cause, depth + 1) }),
  };
}
