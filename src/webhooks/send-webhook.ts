import { toWire, type Uuid } from '#domain/ids.ts';
import { type KeyRing, SealBrokenError } from '#kernel/key-ring.ts';
import { ForbiddenUrlError } from '#kernel/url-guard.ts';
import { checkEndpointUrl } from './endpoint-url.ts';
import { secretPlace } from './endpoints.ts';
import { readRetryAfterMs } from './retry-schedule.ts';
import { signedHeaders } from './signature.ts';

/** An event that was claimed for an endpoint, as `claim_webhooks_v1` answers it. */
export type ClaimedWebhook = {
  event_id: Uuid;
  claim: string;
  tries: number;
  interrupted: boolean;
  url: string;
  sealed_secret: string;
  sealed_previous_secret: string | null;
  type: string;
  occurred_at: Date;
  data: Readonly<Record<string, unknown>>;
  message_text: string | null;
};

/** Why an attempt has failed. They are labels of a metric: few, and nothing of anybody's. */
export type AttemptError =
  | 'answered_error'
  | 'answered_gone'
  | 'redirected'
  | 'timed_out'
  | 'not_connected'
  | 'name_not_found'
  | 'tls_failed'
  | 'address_forbidden'
  | 'secret_not_opened';

export type AttemptOutcome = {
  durationMs: number;
  status?: number;
  /** How the answer began. */
  answer?: string;
} & (
  | { outcome: 'delivered' }
  | {
      outcome: 'failed';
      error: AttemptError;
      /** How long the receiver wants to be left alone. */
      retryAfterMs?: number | undefined;
    }
);

export type SendParts = {
  /** For addresses of tenants: it looks at each address again when it connects. */
  fetch: typeof globalThis.fetch;
  keyRing: Pick<KeyRing, 'open'>;
  allowedHosts: readonly string[];
  timeoutMs: number;
  /** Aborts when the process cannot wait any longer. */
  stop: AbortSignal;
};

const answerBytesMax = 1_024;
/** Small bodies are what receivers expect; a longer text is cut, and the API has the rest. */
const textLengthMax = 16_000;

/** Makes one attempt, and says what came of it. It does not throw. */
export async function sendWebhook(
  parts: SendParts,
  { tenantId, webhookId }: { tenantId: Uuid; webhookId: Uuid },
  claimed: ClaimedWebhook,
): Promise<AttemptOutcome> {
  const startedAt = performance.now();
  const took = () => ({ durationMs: Math.round(performance.now() - startedAt) });
  try {
    // What was opened when it was saved may be closed by now.
    checkEndpointUrl(claimed.url, parts.allowedHosts);
    const body = bodyOf(tenantId, claimed);
    const id = toWire('event', claimed.event_id);
    const response = await parts.fetch(claimed.url, {
      method: 'POST',
      redirect: 'manual',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'Swarmgate-Webhooks',
        ...signedHeaders(
          { id, body, nowMs: Date.now() },
          openSecrets(parts.keyRing, { tenantId, webhookId }, claimed),
        ),
      },
      body,
      signal: AbortSignal.any([AbortSignal.timeout(parts.timeoutMs), parts.stop]),
    });
    const { status } = response;
    const answered = { ...(await readBeginning(response)), status };
    return { ...judge(response), ...answered, ...took() };
  } catch (error) {
    return { outcome: 'failed', error: errorOf(error), ...took() };
  }
}

type Judged =
  | { outcome: 'delivered' }
  | Pick<AttemptOutcome & { outcome: 'failed' }, 'outcome' | 'error' | 'retryAfterMs'>;

function judge({ status, headers }: Response): Judged {
  if (status >= 200 && status < 300) return { outcome: 'delivered' };
  const error =
    status === 410 ? 'answered_gone' : status >= 300 && status < 400 ? 'redirected' : 'answered_error';
  return { outcome: 'failed', error, retryAfterMs: readRetryAfterMs(headers.get('retry-after')) };
}

function bodyOf(tenantId: Uuid, { type, occurred_at, data, message_text }: ClaimedWebhook): string {
  const isCut = message_text !== null && message_text.length > textLengthMax;
  return JSON.stringify({
    ...{ type, version: 1, timestamp: occurred_at.toISOString(), tenantId: toWire('tenant', tenantId) },
    data: {
      ...data,
      ...(message_text !== null && { text: message_text.slice(0, textLengthMax).toWellFormed() }),
      ...(isCut && { isTextCut: true }),
    },
  });
}

function openSecrets(
  keyRing: SendParts['keyRing'],
  { tenantId, webhookId }: { tenantId: Uuid; webhookId: Uuid },
  { sealed_secret, sealed_previous_secret }: ClaimedWebhook,
): string[] {
  const sealed = sealed_previous_secret === null ? [sealed_secret] : [sealed_secret, sealed_previous_secret];
  return sealed.map((secret) => keyRing.open(secret, secretPlace(tenantId, webhookId)));
}

// The status is the answer; whatever the body does afterwards changes nothing about it.
async function readBeginning(response: Response): Promise<{ answer?: string }> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const piece of response.body ?? []) {
      pieces.push(piece);
      bytes += piece.byteLength;
      if (bytes >= answerBytesMax) break;
    }
  } catch {
    // What came before it broke off is kept.
  }
  if (bytes === 0) return {};
  const beginning = Buffer.concat(pieces).subarray(0, answerBytesMax);
  return { answer: new TextDecoder().decode(beginning).replaceAll('\u0000', '\ufffd') };
}

function errorOf(error: unknown): AttemptError {
  if (error instanceof ForbiddenUrlError) return 'address_forbidden';
  if (error instanceof SealBrokenError) return 'secret_not_opened';
  const { name, cause } = error as { name?: string; cause?: { code?: unknown } };
  if (name === 'TimeoutError') return 'timed_out';
  const code = typeof cause?.code === 'string' ? cause.code : '';
  if (/^UND_ERR_(?:CONNECT|HEADERS|BODY)_TIMEOUT$|^ETIMEDOUT$/.test(code)) return 'timed_out';
  if (/^(?:ENOTFOUND|EAI_|ENODATA|ESERVFAIL|ETIMEOUT|EREFUSED|EBADNAME)/.test(code)) return 'name_not_found';
  if (/CERT|SSL|TLS|^UNABLE_TO_|SELF_SIGNED|^HOSTNAME_MISMATCH/.test(code)) return 'tls_failed';
  return 'not_connected';
}
