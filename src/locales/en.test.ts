import { expect, test } from 'vitest';
import { AppError } from '#domain/errors.ts';
import { ModelError, type ModelFailure } from '#models/model.ts';
import { failureMessage } from './en.ts';

const failures: Record<ModelFailure, 'try again' | 'somebody must act' | 'other words'> = {
  rate_limited: 'try again',
  unavailable: 'try again',
  timeout: 'try again',
  interrupted: 'try again',
  refused_key: 'somebody must act',
  bad_request: 'somebody must act',
  not_configured: 'somebody must act',
  filtered: 'other words',
};

test.each(Object.entries(failures))('after %s the visitor reads that it takes: %s', (failure, what) => {
  const message = failureMessage(
    new ModelError(failure as ModelFailure, 'openai/gpt-5 answered 418 with sk-secret'),
  );

  const expected = {
    'try again': /try again/,
    'somebody must act': /people who run this chat/,
    'other words': /Other words/,
  };
  expect(message).toMatch(expected[what]);
  expect(message).not.toContain('openai');
  expect(message).not.toContain('sk-secret');
});

test('every kind has a sentence of its own', () => {
  const messages = Object.keys(failures).map((failure) =>
    failureMessage(new ModelError(failure as ModelFailure, '')),
  );

  expect(new Set(messages).size).toBe(messages.length);
});

test.each([
  new AppError('something_else', 'internal detail'),
  new TypeError('internal detail'),
  'thrown text',
  undefined,
])('anything else is our fault, without its details', (error) => {
  expect(failureMessage(error)).toMatch(/on our side/);
  expect(failureMessage(error)).not.toContain('detail');
});
