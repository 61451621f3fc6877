import type { AnswerScript } from '../../fakes/chat/fake-conversation.ts';

/** An answer that stops after each of its pieces until the test lets it go on; a stop by the visitor does so too. */
export function gatedAnswer(pieces: readonly string[]): { answer: AnswerScript; next: () => void } {
  const waits = pieces.map(() => Promise.withResolvers<void>());
  let opened = 0;
  const next = () => {
    waits[opened]?.resolve();
    opened += 1;
  };
  async function* answer(_question: string, signal: AbortSignal) {
    signal.addEventListener('abort', () => {
      for (const wait of waits) wait.resolve();
    });
    for (const [at, piece] of pieces.entries()) {
      yield piece;
      await waits[at]?.promise;
    }
  }
  return { answer, next };
}
