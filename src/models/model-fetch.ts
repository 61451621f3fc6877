import { ForbiddenUrlError } from '#kernel/url-guard.ts';
import { ModelError } from './model-error.ts';

/** More than any answer takes; a server that sends without end is stopped here. */
const bodyBytesMax = 32 * 1024 * 1024;

/**
 * Wraps `fetch` for one call of a model: names what went wrong on the way as a {@link ModelError}, gives up when
 * nothing at all (no byte, not even a keep-alive) comes for `idleTimeoutMs`, and follows no redirect, because it would
 * carry the key to another host.
 */
export function createModelFetch(
  name: string,
  fetch: typeof globalThis.fetch,
  idleTimeoutMs: number,
): typeof globalThis.fetch {
  return async (input, init = {}) => {
    const silence = watchSilence(name, idleTimeoutMs);
    const signal = init.signal ? AbortSignal.any([init.signal, silence.signal]) : silence.signal;

    silence.begin();
    const response = await fetch(input, { ...init, redirect: 'manual', signal })
      .catch((error: unknown) => {
        throw signal.aborted ? signal.reason : notReached(name, error);
      })
      .finally(silence.end);

    if (response.status >= 300 && response.status < 400) {
      await response.body?.cancel();
      throw new ModelError(
        'bad_request',
        `${name} answered ${response.status}: its base URL redirects elsewhere.`,
      );
    }
    if (!response.body) return response;
    const { status, headers } = response;
    return new Response(watchBody(name, response.body, silence, signal), { status, headers });
  };
}

type Silence = { signal: AbortSignal; begin: () => void; end: () => void };

function watchSilence(name: string, idleTimeoutMs: number): Silence {
  const abort = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const end = () => clearTimeout(timer);
  const giveUp = () =>
    abort.abort(new ModelError('timeout', `${name} sent nothing for ${idleTimeoutMs} ms.`));
  const begin = () => {
    end();
    timer = setTimeout(giveUp, idleTimeoutMs);
  };
  return { signal: abort.signal, begin, end };
}

// The clock runs only while a read waits: a reader that is slow itself does not count as silence of the provider.
function watchBody(name: string, body: ReadableStream<Uint8Array>, silence: Silence, signal: AbortSignal) {
  const reader = body.getReader();
  let bytes = 0;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        silence.begin();
        const { done, value } = await reader
          .read()
          .catch(() => {
            throw signal.aborted
              ? signal.reason
              : new ModelError('interrupted', `${name} broke off in mid answer.`);
          })
          .finally(silence.end);
        if (done) return controller.close();
        bytes += value.byteLength;
        if (bytes > bodyBytesMax) {
          await reader.cancel();
          throw new ModelError('bad_request', `${name} sent more than ${bodyBytesMax} bytes.`);
        }
        controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

function notReached(name: string, error: unknown): ModelError {
  if (error instanceof ForbiddenUrlError) {
    return new ModelError('not_configured', `The base URL of ${name} cannot be used: ${error.message}`);
  }
  return new ModelError('unavailable', `${name} cannot be reached${networkCode(error)}.`);
}

function networkCode(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' ? ` (${code})` : '';
}
