import { describe, expect, test } from 'vitest';
import { AppError } from '#domain/errors.ts';
import { newId } from '#domain/ids.ts';
import { LeaseLostError, TurnCancelledError } from './hold-lease.ts';
import { PoisonedTurnError, refusePoisoned, StoppingError, settleFailure } from './settle-turn.ts';
import type { OpenTurn } from './turn-journal.ts';

const texts = { stopped: 'Stopped.', failed: (error: unknown) => `Failed: ${(error as Error).message}` };

class Passing extends AppError {
  readonly retryAfterMs: number | undefined;

  constructor(retryAfterMs?: number) {
    super('passing', 'It will pass.', { retry: 'later' });
    this.retryAfterMs = retryAfterMs;
  }
}

function aTurn(more: Partial<OpenTurn> = {}): OpenTurn {
  return {
    tenantId: newId(),
    conversationId: newId(),
    conversationExternalId: 'c',
    turnId: newId(),
    weight: 1,
    fence: 1,
    attempt: 1,
    cancelled: false,
    elapsedMs: 0,
    message: { id: newId(), text: 'hello', content: {} },
    participant: { externalId: 'p' },
    channel: { id: newId(), platform: 'webchat' },
    agent: null,
    history: [],
    steps: [],
    ...more,
  };
}

function settle(
  error: unknown,
  { turn = aTurn(), textSoFar = '', reason }: { turn?: OpenTurn; textSoFar?: string; reason?: Error } = {},
) {
  const signal = reason ? AbortSignal.abort(reason) : new AbortController().signal;
  return settleFailure(error, signal, turn, textSoFar, texts);
}

describe('a failure that does not pass', () => {
  test('is one honest message, and the turn is dead', () => {
    expect(settle(new AppError('broken', 'It is broken.'))).toEqual({
      kind: 'commit',
      outcome: {
        state: 'dead',
        role: 'system',
        text: 'Failed: It is broken.',
        content: {},
        error: { code: 'broken', message: 'It is broken.' },
      },
    });
  });

  test.each([[new TypeError('a bug')], ['thrown text'], [undefined]])(
    'is the end also when nobody foresaw it: %s',
    (thrown) => {
      expect(settle(thrown ?? new Error('nothing'))).toMatchObject({
        kind: 'commit',
        outcome: { state: 'dead', error: { code: 'internal' } },
      });
    },
  );
});

describe('a failure that may pass', () => {
  test.each([
    [1, 1_000],
    [2, 5_000],
    [3, 15_000],
  ])('after attempt %d is tried again in %d ms', (attempt, delayMs) => {
    expect(settle(new Passing(), { turn: aTurn({ attempt }) })).toMatchObject({
      kind: 'retry',
      delayMs,
      error: { code: 'passing', message: 'It will pass.' },
    });
  });

  test('is tried again when the provider asked for it, and not before', () => {
    expect(settle(new Passing(30_000))).toMatchObject({ kind: 'retry', delayMs: 30_000 });
    expect(settle(new Passing(10))).toMatchObject({ kind: 'retry', delayMs: 1_000 });
  });

  test('ends after four attempts', () => {
    expect(settle(new Passing(), { turn: aTurn({ attempt: 4 }) })).toMatchObject({
      kind: 'commit',
      outcome: { state: 'dead' },
    });
  });

  test('ends when the visitor would wait for more than two minutes', () => {
    expect(settle(new Passing(121_000))).toMatchObject({ kind: 'commit' });
    expect(settle(new Passing(), { turn: aTurn({ elapsedMs: 119_500 }) })).toMatchObject({ kind: 'commit' });
  });
});

describe('an abort counts by its reason, whatever the call says that it broke off', () => {
  const torn = new Passing();

  test('a lost lease writes nothing', () => {
    expect(settle(torn, { reason: new LeaseLostError() })).toEqual({ kind: 'lost' });
    expect(settle(new LeaseLostError())).toEqual({ kind: 'lost' });
  });

  test('a process that stops puts the turn back', () => {
    expect(settle(torn, { reason: new StoppingError() })).toEqual({ kind: 'release' });
  });

  test('a cancelled turn keeps what was said', () => {
    expect(settle(torn, { reason: new TurnCancelledError(), textSoFar: 'So far' })).toEqual({
      kind: 'commit',
      outcome: { state: 'done', role: 'agent', text: 'So far', content: { cancelled: true } },
    });
  });

  test('a turn cancelled before a word was said says that it was stopped', () => {
    expect(settle(new TurnCancelledError(), { textSoFar: ' \n' })).toEqual({
      kind: 'commit',
      outcome: { state: 'done', role: 'system', text: 'Stopped.', content: { cancelled: true } },
    });
  });
});

test('a turn that was begun ten times and never ended is begun no more', () => {
  expect(() => refusePoisoned(aTurn({ attempt: 10 }))).not.toThrow();
  expect(() => refusePoisoned(aTurn({ attempt: 11 }))).toThrow(PoisonedTurnError);
});
