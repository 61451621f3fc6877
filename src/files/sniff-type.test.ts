import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { announcedType, checkedType } from './sniff-type.ts';

const latin = (text: string) => Buffer.from(text, 'latin1');
const wide = (text: string) => Buffer.from(`\uFEFF${text}`, 'utf16le');

const png = latin('\x89PNG\r\n\x1a\n\0\0\0\rIHDR');
const docx = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';

describe('the bytes tell', () => {
  test.each<[string, Buffer, string]>([
    ['image/png', png, 'image/png'],
    ['image/jpeg', latin('\xff\xd8\xff\xe0\0\x10JFIF'), 'image/jpeg'],
    ['image/jpg', latin('\xff\xd8\xff\xe1\0\x10Exif'), 'image/jpg'],
    ['image/gif', latin('GIF89a\x01\0\x01\0'), 'image/gif'],
    ['image/webp', latin('RIFF\x24\0\0\0WEBPVP8 '), 'image/webp'],
    ['image/heic', latin('\0\0\0\x18ftypheic\0\0\0\0'), 'image/heic'],
    ['application/pdf', latin('%PDF-1.7\n'), 'application/pdf'],
    [docx, latin('PK\x03\x04\x14\0'), docx],
    ['application/zip', latin('PK\x05\x06\0\0'), 'application/zip'],
    ['application/msword', latin('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0'), 'application/msword'],
    ['audio/mpeg', latin('ID3\x04\0'), 'audio/mpeg'],
    ['audio/mpeg', latin('\xff\xfb\x90\x44'), 'audio/mpeg'],
    ['audio/aac', latin('\xff\xf1\x50\x80'), 'audio/aac'],
    ['audio/ogg; codecs=opus', latin('OggS\0\x02'), 'audio/ogg'],
    ['audio/amr', latin('#!AMR\n'), 'audio/amr'],
    ['video/mp4', latin('\0\0\0\x18ftypmp42\0\0\0\0'), 'video/mp4'],
    ['audio/mp4', latin('\0\0\0\x18ftypM4A \0\0\0\0'), 'audio/mp4'],
    ['video/3gpp', latin('\0\0\0\x18ftyp3gp4\0\0\0\0'), 'video/3gpp'],
    ['video/quicktime', latin('\0\0\0\x14ftypqt  \0\0\0\0'), 'video/quicktime'],
  ])('that a file is %s', (announced, head, type) => {
    expect(checkedType(announced, head)).toBe(type);
  });

  test.each<[string, Buffer, string]>([
    ['image/jpeg', png, 'image/png'],
    ['application/octet-stream', png, 'image/png'],
    ['text/html', png, 'image/png'],
    ['', latin('%PDF-1.7\n'), 'application/pdf'],
    ['image/png', latin('PK\x03\x04\x14\0'), 'application/zip'],
    ['image/svg+xml', latin('GIF89a<svg onload=alert(1)>'), 'image/gif'],
  ])('more than %j, as it was announced', (announced, head, type) => {
    expect(checkedType(announced, head)).toBe(type);
  });
});

describe('text', () => {
  test.each<[string, Buffer, string]>([
    ['text/plain', Buffer.from('Grüße aus 東京'), 'text/plain'],
    ['Text/Plain; charset=utf-8', Buffer.from('hello'), 'text/plain'],
    ['text/plain', latin('Gr\xfc\xdfe'), 'text/plain'],
    ['text/plain', wide('hello'), 'text/plain'],
    ['text/plain', Buffer.alloc(0), 'text/plain'],
    ['text/csv', Buffer.from('a;b\n1;2\n'), 'text/csv'],
    ['text/vcard', Buffer.from('BEGIN:VCARD\nVERSION:4.0'), 'text/vcard'],
    ['application/json', Buffer.from('{"a": "<b>"}'), 'application/json'],
    ['text/x-python', Buffer.from('print(1 < 2)'), 'text/plain'],
  ])('keeps the name of plain text: %s', (announced, head, type) => {
    expect(checkedType(announced, head)).toBe(type);
  });

  test.each([
    ['text/plain', Buffer.from([0x61, 0x00, 0x62])],
    ['text/plain', Buffer.from([0x01, 0x02])],
    ['image/png', Buffer.from('just text')],
    ['image/png', Buffer.alloc(0)],
    ['application/x-something', Buffer.from('just text')],
    ['text/plain\r\nx-evil: 1', Buffer.from('just text')],
    ['nonsense', Buffer.from('just text')],
  ])('that is announced as %j and is not, is nothing in particular', (announced, head) => {
    expect(checkedType(announced, head)).toBe('application/octet-stream');
  });
});

describe('what a browser runs is nothing in particular, whatever it is announced as', () => {
  const active = [
    Buffer.from('<!DOCTYPE html><script>alert(1)</script>'),
    Buffer.from('\uFEFF\n\t <svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'),
    Buffer.from('<?xml version="1.0"?><x:script xmlns:x="http://www.w3.org/1999/xhtml">alert(1)</x:script>'),
    Buffer.from('<!-- a comment --><html>'),
    Buffer.from('<SCRIPT>alert(1)</SCRIPT>'),
    wide('<html><script>alert(1)</script>'),
    Buffer.from('\uFEFF<svg/>', 'utf16le').swap16(),
  ];
  const announcements = [
    'image/png',
    'image/svg+xml',
    'text/html',
    'text/plain',
    'text/xml',
    'application/xml',
    'application/xhtml+xml',
    'application/json',
    'text/x-anything',
  ];

  test.each(announcements)('%s', (announced) => {
    expect(active.map((head) => checkedType(announced, head))).toEqual(
      active.map(() => 'application/octet-stream'),
    );
  });

  test.each([
    'text/javascript',
    'application/javascript',
    'text/ecmascript',
    'text/css',
    'text/html',
    'text/xsl',
  ])('text that is announced as %s', (announced) => {
    expect(checkedType(announced, Buffer.from('alert(1)'))).toBe('application/octet-stream');
    expect(announcedType(announced)).toBe('application/octet-stream');
  });

  test('for any announcement and any bytes, the type is one that a browser only shows or saves', () => {
    const announced = fc.oneof(fc.string(), fc.constantFrom(...announcements, 'text/javascript', docx));
    const head = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constantFrom(...active));
    fc.assert(
      fc.property(announced, head, (type, bytes) => {
        const checked = checkedType(type, bytes);
        expect(checked).toMatch(/^(?:image|audio|video|text|application)\/[a-z0-9.+-]+$/);
        expect(checked).not.toMatch(/html|xml$|\+xml|script|css|svg/);
      }),
    );
  });
});

test('before the bytes are there, a type is what was announced, if it is one of those', () => {
  expect(['IMAGE/PNG', docx, 'text/x-log', 'image/svg+xml', 'x'].map(announcedType)).toEqual([
    'image/png',
    docx,
    'text/plain',
    'application/octet-stream',
    'application/octet-stream',
  ]);
});
