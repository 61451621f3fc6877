import { createHmac } from 'node:crypto';
import type { KeyRing } from '#kernel/key-ring.ts';
import { networkOf } from '#kernel/network-of.ts';
import type { Scopes } from '#tenancy/scopes.ts';

/**
 * Attempts at what could be guessed, counted in the database: neither a restart nor an emptied Redis gives a guesser new
 * tries. Each is counted as failed before it is looked at, so that a thousand at once are no more than one after the
 * other; those that end well are given back.
 */
export interface Attempts {
  /** Takes one attempt. Answers 0, or for how many milliseconds there is none; then nothing was taken. */
  take(counters: readonly AttemptCounter[]): Promise<number>;
  /** The attempt that was taken ended well. */
  giveBack(counters: readonly AttemptCounter[]): Promise<void>;
}

/** Something that attempts are counted by. After `freeFailures` each failure doubles the wait, from `firstDelayMs` on. */
export type AttemptCounter = {
  of: string;
  freeFailures: number;
  firstDelayMs: number;
  delayMsMax: number;
  forgetMs: number;
  /** Whether a success begins it anew, or gives back only what it took: others are counted with it. */
  onSuccess: 'forget' | 'return';
};

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;

/**
 * A password is guessed at one account or at many. From one network an account stands few tries; from all together more,
 * so that a stranger cannot keep somebody out for long; and one network stands some for all accounts. The address is
 * counted whether it is anybody's or not: a lockout that only accounts had would tell them apart.
 */
export function passwordCounters(email: string, address: string): AttemptCounter[] {
  return signInCounters(`password|${email}`, address);
}

/** The same for passkeys. Nobody guesses a signature; but what is tried is counted, whether the passkey is anybody's or not. */
export function passkeyCounters(credentialId: string, address: string): AttemptCounter[] {
  return signInCounters(`passkey|${credentialId}`, address);
}

function signInCounters(account: string, address: string): AttemptCounter[] {
  const network = networkOf(address);
  const delays = { firstDelayMs: 30 * secondMs, delayMsMax: 15 * minuteMs };
  return [
    {
      of: `${account}|${network}`,
      freeFailures: 5,
      ...delays,
      forgetMs: 24 * hourMs,
      onSuccess: 'forget',
    },
    { of: account, freeFailures: 25, ...delays, forgetMs: 24 * hourMs, onSuccess: 'forget' },
    { of: `network|${network}`, freeFailures: 100, ...delays, forgetMs: hourMs, onSuccess: 'return' },
  ];
}

/**
 * Who guesses a second factor has the first one, so the account alone counts. Three codes of a million are good at a
 * time: at one try a quarter of an hour that takes years. What came by an organization's provider (`provider`: its
 * connection, or the organization) is counted apart: whoever runs that uses up none of its members' own tries.
 */
export function secondFactorCounters(userId: string, provider?: string): AttemptCounter[] {
  return [
    {
      of: ['second-factor', userId, ...(provider === undefined ? [] : [provider])].join('|'),
      freeFailures: 5,
      firstDelayMs: 30 * secondMs,
      delayMsMax: 15 * minuteMs,
      forgetMs: 7 * 24 * hourMs,
      onSuccess: 'forget',
    },
  ];
}

export function createAttempts(scopes: Pick<Scopes, 'call'>, keyRing: KeyRing): Attempts {
  // Under a key of ours: whoever reads the table cannot try addresses out against it.
  const secret = keyRing.derive('attempts', keyRing.keyIds[0] ?? '');
  if (!secret) throw new TypeError('A key ring has a first key.');
  const rulesOf = (counters: readonly AttemptCounter[]) =>
    JSON.stringify(
      counters.map(({ of, ...rule }) => ({
        ...rule,
        key: createHmac('sha256', secret).update(of).digest('hex'),
      })),
    );

  return {
    async take(counters) {
      const [row] = await scopes.call<{ take_attempt_v1: string }>('identity.take_attempt_v1', [
        rulesOf(counters),
      ]);
      return Number(row?.take_attempt_v1 ?? secondMs);
    },
    async giveBack(counters) {
      await scopes.call('identity.give_back_attempt_v1', [rulesOf(counters)]);
    },
  };
}
