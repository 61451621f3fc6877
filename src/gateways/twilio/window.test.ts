import { describe, expect, test } from 'vitest';
import { oneLine, templateFor, templateVariables } from './window.ts';

const nowMs = Date.parse('2026-05-01T12:00:00Z');
const template = { contentSid: 'HX1', textVariable: '1' };
const hoursAgo = (hours: number, ms = 0) => new Date(nowMs - hours * 3_600_000 - ms);

describe('on WhatsApp', () => {
  const person = 'whatsapp:+15550100';

  test('free text goes out for 24 hours after the person has written', () => {
    expect(templateFor(person, hoursAgo(0), undefined, nowMs)).toBeUndefined();
    expect(templateFor(person, hoursAgo(24, -1), template, nowMs)).toBeUndefined();
  });

  test('a template goes out after that, and when nobody has written', () => {
    expect(templateFor(person, hoursAgo(24), template, nowMs)).toBe(template);
    expect(templateFor(person, undefined, template, nowMs)).toBe(template);
  });

  test('nothing goes out after that without a template', () => {
    for (const last of [hoursAgo(24), undefined])
      expect(() => templateFor(person, last, undefined, nowMs)).toThrow(
        expect.objectContaining({ code: 'gateway_outside_window', retry: 'never' }),
      );
  });
});

test('a number takes text at any time', () => {
  expect(templateFor('+15550100', undefined, template, nowMs)).toBeUndefined();
  expect(templateFor('+15550100', hoursAgo(1_000), undefined, nowMs)).toBeUndefined();
});

test('the text of a template is on one line, without runs of spaces', () => {
  expect(oneLine(' Your order:\n\n- one\t(1)\r\n-     two ')).toBe('Your order: - one (1) - two');
  expect(JSON.parse(templateVariables({ contentSid: 'HX1', textVariable: 'text' }, 'a\n"b"'))).toEqual({
    text: 'a "b"',
  });
});
