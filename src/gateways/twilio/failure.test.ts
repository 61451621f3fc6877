import { describe, expect, test } from 'vitest';
import { readFailure } from './failure.ts';

const nowMs = Date.parse('2026-05-01T12:00:00Z');

describe('how long Twilio asks to wait', () => {
  const waitOf = (retryAfter?: string) =>
    readFailure({ code: 20429 }, { status: 429, ...(retryAfter !== undefined && { retryAfter }) }, nowMs)
      .retryAfterMs;

  test.each([
    ['3', 3_000],
    [' 0 ', 0],
    ['Fri, 01 May 2026 12:00:30 GMT', 30_000],
    ['Fri, 01 May 2026 11:00:00 GMT', 0],
    ['', undefined],
    ['soon', undefined],
    [undefined, undefined],
  ])('%j', (retryAfter, waitMs) => expect(waitOf(retryAfter)).toBe(waitMs));

  test('is not heard where waiting does not help', () => {
    expect(
      readFailure({ code: 21211 }, { status: 400, retryAfter: '3' }, nowMs).retryAfterMs,
    ).toBeUndefined();
  });
});

describe('a call without an answer', () => {
  const of = (code: unknown) => readFailure(Object.assign(new Error('secret'), { code }), {}, nowMs);

  test.each(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'CERT_HAS_EXPIRED'])('has not arrived: %s', (code) => {
    expect(of(code)).toMatchObject({ code: 'gateway_unavailable', retry: 'later', mayHaveArrived: false });
  });

  test.each(['ECONNRESET', 'ECONNABORTED', 'ETIMEDOUT', 'EPIPE', 'ERR_CANCELED', undefined])(
    'may have arrived: %s',
    (code) => {
      expect(of(code)).toMatchObject({ code: 'gateway_unavailable', retry: 'later', mayHaveArrived: true });
    },
  );

  test('says nothing of what the SDK says', () => {
    expect(of('ECONNRESET').message).not.toContain('secret');
    expect(of('ECONNRESET').cause).toBeUndefined();
  });
});

test('a refusal without a code goes by its status', () => {
  const of = (status: number) =>
    readFailure(new Error('[HTTP] Failed to execute request'), { status }, nowMs).code;
  expect([400, 401, 403, 404, 429, 302].map(of)).toEqual(
    [
      'message_refused',
      'credentials_refused',
      'credentials_refused',
      'credentials_refused',
      'rate_limited',
      'message_refused',
    ].map((failure) => `gateway_${failure}`),
  );
  expect([408, 500, 503, 200, 201].map(of)).toEqual(Array.from({ length: 5 }, () => 'gateway_unavailable'));
});
