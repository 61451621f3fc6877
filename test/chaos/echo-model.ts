import type { ModelScript } from '../fakes/model-server.ts';
import { isRecord } from '../fakes/model-wires/wire.ts';

const pieces = 6;
/** So long between two pieces: at once, and slowly enough that the answer is shown while it is written. */
const paceMs = [5, 60, 250] as const;

/** A model that repeats what it was asked last; how slowly depends on the question alone, so that a run repeats itself. */
export function answerByEcho(body: Record<string, unknown>): ModelScript {
  const messages = Array.isArray(body['messages']) ? body['messages'] : [];
  const last: unknown = messages.at(-1);
  const text = isRecord(last) ? String(last['content']) : '';
  const size = Math.max(1, Math.ceil(text.length / pieces));
  return {
    kind: 'answer',
    pieces: Array.from({ length: Math.ceil(text.length / size) }, (_, i) =>
      text.slice(i * size, (i + 1) * size),
    ),
    delayMs: paceMs[sumOf(text) % paceMs.length] ?? 5,
  };
}

function sumOf(text: string): number {
  return Buffer.from(text).reduce((sum, byte) => sum + byte, 0);
}
