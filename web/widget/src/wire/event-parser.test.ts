import { describe, expect, test } from 'vitest';
import { EventParser } from './event-parser.ts';

describe('an event stream', () => {
  const stream =
    'retry: 1500\n\n: still here\n\nid: 7\nevent: message\ndata: {"a":1}\n\nevent: delta\ndata: one\ndata: two\n\n';
  const events = [
    { event: 'message', data: '{"a":1}' },
    { event: 'delta', data: 'one\ntwo' },
  ];

  test('is read whole', () => {
    const parser = new EventParser('3');
    expect(parser.push(stream)).toEqual(events);
    expect(parser.lastEventId).toBe('7');
    expect(parser.retryMs).toBe(1_500);
  });

  test.each([
    ['line feeds', stream],
    ['carriage returns and line feeds', stream.replaceAll('\n', '\r\n')],
  ])('is read the same wherever it is cut, with %s', (_name, text) => {
    for (let at = 0; at <= text.length; at += 1) {
      const parser = new EventParser('3');
      expect([...parser.push(text.slice(0, at)), ...parser.push(text.slice(at))], `cut at ${at}`).toEqual(
        events,
      );
      expect(parser.lastEventId).toBe('7');
    }
  });

  test('keeps the id it had until an event brings another', () => {
    const parser = new EventParser('3');
    parser.push('event: typing\ndata: {}\n\nid: 4\n');
    expect(parser.lastEventId).toBe('3');
  });

  test('says nothing of an event that is not complete', () => {
    expect(new EventParser('').push('data: half')).toEqual([]);
  });
});
