import { fileKinds } from './file-kinds.ts';

const unknownType = 'application/octet-stream';

/** Text that no browser does anything with but show it. */
const plainTypes: ReadonlySet<string> = new Set([
  'text/plain',
  'text/csv',
  'text/tab-separated-values',
  'text/markdown',
  'text/calendar',
  'text/vcard',
  'text/x-vcard',
  'text/directory', // vCards, before RFC 6350
  'application/json',
]);

/** Types of text that a browser runs, or loads others by. */
const activeText = /html|xml|xsl|svg|script|css|wasm/;

/**
 * The type that a file is kept and served under, by its first bytes (at least 4 KB, or all of it). Where the bytes show a
 * known kind, the announced name of that kind is kept (a .docx is a zip), else the kind's own name is given. Text keeps
 * the names of plain text. All else is `application/octet-stream`, above all markup, whatever it was announced as.
 */
export function checkedType(announced: string, head: Uint8Array): string {
  const type = essenceOf(announced);
  const kind = fileKinds.find(({ looks }) => looks(head));
  if (kind) return kind.also.includes(type) ? type : kind.type;
  if (!looksLikeText(head) || looksLikeMarkup(head)) return unknownType;
  return plainType(type) ?? unknownType;
}

/** What an announced type may be called before anybody has seen the bytes. */
export function announcedType(announced: string): string {
  const type = essenceOf(announced);
  const isKnown = fileKinds.some((kind) => kind.type === type || kind.also.includes(type));
  return isKnown ? type : (plainType(type) ?? unknownType);
}

// `Text/Plain; charset=utf-8` → `text/plain` (MIME Sniffing Standard, "essence").
function essenceOf(announced: string): string {
  return (announced.split(';', 1)[0] ?? '').trim().toLowerCase();
}

function plainType(type: string): string | undefined {
  if (plainTypes.has(type)) return type;
  return /^text\/[a-z0-9.+-]+$/.test(type) && !activeText.test(type) ? 'text/plain' : undefined;
}

// "Binary data bytes" of the MIME Sniffing Standard, §3. UTF-16 is full of them and says so by its first two bytes.
function looksLikeText(head: Uint8Array): boolean {
  if (wideEncodingOf(head)) return true;
  return !head.some((byte) => byte < 0x09 || byte === 0x0b || (byte > 0x0d && byte < 0x20 && byte !== 0x1b));
}

// Wider than the standard's list for HTML: an SVG or XML of any first element must not pass either.
function looksLikeMarkup(head: Uint8Array): boolean {
  const text = new TextDecoder(wideEncodingOf(head) ?? 'utf-8').decode(head);
  return /^[\s\0]*<[!?/a-z]/i.test(text);
}

function wideEncodingOf([first, second]: Uint8Array): string | undefined {
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  return undefined;
}
