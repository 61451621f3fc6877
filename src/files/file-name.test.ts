import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cleanFileName } from './file-name.ts';

test.each([
  ['report.pdf', 'report.pdf'],
  ['Übersicht für Zoë – 日本.pdf', 'Übersicht für Zoë – 日本.pdf'],
  ['👩‍👩‍👧 photo.png', '👩👩👧 photo.png'],
  ['../../etc/passwd', 'passwd'],
  ['C:\\Users\\me\\cv.docx', 'cv.docx'],
  ['two\r\nSet-Cookie: a=b.txt', 'twoSet-Cookie: a=b.txt'],
  ['photo\u202Egpj.exe', 'photogpj.exe'],
  ['nul\0.txt', 'nul.txt'],
  ['  spaced \t out.txt ', 'spaced out.txt'],
  ['half \uD83D.txt', 'half \uFFFD.txt'],
  ['', 'file'],
  ['..', 'file'],
  ['folder/', 'file'],
  ['\u200B', 'file'],
  [`${'long '.repeat(100)}.jpeg`, `${'long '.repeat(100).slice(0, 145)}.jpeg`],
])('%j is kept as %j', (given, kept) => {
  expect(cleanFileName(given)).toBe(kept);
});

test('whatever is given, a name is one that can be shown, stored and sent', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (given) => {
      const name = cleanFileName(given);
      expect(name).not.toMatch(/[\p{Cc}\p{Cf}/\\]/u);
      expect([...name].length).toBeGreaterThan(0);
      expect([...name].length).toBeLessThanOrEqual(150);
      expect(name.isWellFormed()).toBe(true);
      expect(cleanFileName(name)).toBe(name);
    }),
  );
});
