import { randomInt } from 'node:crypto';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** An id as Slack makes them: a letter for the kind, then ten letters and digits. */
export function newSlackId(prefix: string): string {
  return `${prefix}0${Array.from({ length: 9 }, () => alphabet[randomInt(alphabet.length)]).join('')}`;
}

/** Makes time stamps of messages, `seconds.microseconds`, each later than the one before. */
export function createTimestamps(now: () => number): () => string {
  let last = 0;
  return () => {
    last = Math.max(last + 1, Math.floor(now() * 1_000));
    return `${Math.floor(last / 1_000_000)}.${String(last % 1_000_000).padStart(6, '0')}`;
  };
}
