import { describe, expect, test } from 'vitest';
import { newId } from '#domain/ids.ts';
import type { OutboundAttachment, OutboundMessage } from '../gateway.ts';
import { planParts } from './plan.ts';

const megabyte = 1024 * 1024;

const aFile = (name: string, contentType = 'image/png', sizeBytes = 1_000): OutboundAttachment => ({
  fileId: newId(),
  name,
  contentType,
  sizeBytes,
});

/** What each part has: its text and the names of its files. */
function plan(
  text: string,
  attachments: OutboundAttachment[],
  where: { whatsApp?: boolean; mayBeTemplate?: boolean } = {},
  content: object = {},
) {
  const message = { text, attachments, content } as unknown as OutboundMessage;
  const parts = planParts(message, { whatsApp: false, mayBeTemplate: false, ...where });
  return parts.map((part) => [part.text, ...part.media.map(({ name }) => name)]);
}

describe('by SMS', () => {
  test('files go with the text, up to ten and 5 MB a message, and then in messages of their own', () => {
    const twelve = Array.from({ length: 12 }, (_, n) => aFile(`${n}.png`));
    expect(plan('Here.', twelve).map((part) => part.length)).toEqual([11, 3]);
    const heavy = [aFile('a.png', 'image/png', 3 * megabyte), aFile('b.png', 'image/png', 3 * megabyte)];
    expect(plan('Here.', heavy)).toEqual([
      ['Here.', 'a.png'],
      ['', 'b.png'],
    ]);
    expect(plan('', heavy)).toEqual([
      ['', 'a.png'],
      ['', 'b.png'],
    ]);
  });

  test('what an answer rests on is named by its numbers, with the addresses that lead somewhere', () => {
    const sources = [
      { title: 'Handbook', url: 'https://acme.example/handbook' },
      { title: 'Here', url: '/demo/docs' },
      { nothing: true },
    ];
    expect(plan('So it is. [1]', [], {}, { sources })).toEqual([
      ['So it is. [1]\n[1] Handbook https://acme.example/handbook\n[2] Here'],
    ]);
  });

  test('a name that the last part has no room for is a part of its own', () => {
    const text = 'a'.repeat(1_595);
    expect(plan(text, [aFile('x.zip', 'application/zip')])).toEqual([[text], ['x.zip (1 kB)']]);
  });

  test('a file alone that cannot go along is named', () => {
    expect(plan('', [aFile('film.mp4', 'video/mp4', 6 * megabyte)])).toEqual([['film.mp4 (6.0 MB)']]);
  });
});

describe('by WhatsApp', () => {
  const whatsApp = { whatsApp: true };

  test('each file is a message, the first one with the text where WhatsApp shows it', () => {
    expect(plan('Here.', [aFile('a.png'), aFile('b.mp4', 'video/mp4')], whatsApp)).toEqual([
      ['Here.', 'a.png'],
      ['', 'b.mp4'],
    ]);
    for (const type of ['audio/ogg', 'application/pdf', 'image/webp'])
      expect(plan('Here.', [aFile('a', type)], whatsApp)).toEqual([['Here.'], ['', 'a']]);
    const long = 'a'.repeat(1_100);
    expect(plan(long, [aFile('a.png')], whatsApp)).toEqual([[long], ['', 'a.png']]);
  });

  test('files are larger, and of other kinds', () => {
    expect(plan('Here.', [aFile('a.pdf', 'application/pdf', 10 * megabyte)], whatsApp)).toEqual([
      ['Here.'],
      ['', 'a.pdf'],
    ]);
    expect(plan('Here.', [aFile('a.gif', 'image/gif')], whatsApp)).toEqual([['Here.\na.gif (1 kB)']]);
  });
});

test('the same message is planned alike each time', () => {
  const files = [aFile('a.png'), aFile('b.zip', 'application/zip'), aFile('c.pdf', 'application/pdf')];
  const text = Array.from({ length: 300 }, (_, n) => `word${n}`).join(' ');
  expect(plan(text, files)).toEqual(plan(text, files));
});
