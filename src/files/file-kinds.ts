export type FileKind = {
  type: string;
  /** Other types that such bytes may rightly be announced as. */
  also: readonly string[];
  looks: (head: Uint8Array) => boolean;
};

const officeTypes = [
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  'application/vnd.openxmlformats-officedocument.presentationml.presentation',
  'application/vnd.oasis.opendocument.text',
  'application/vnd.oasis.opendocument.spreadsheet',
  'application/vnd.oasis.opendocument.presentation',
];
const oldOfficeTypes = [
  'application/msword',
  'application/vnd.ms-excel',
  'application/vnd.ms-powerpoint',
  'application/vnd.ms-outlook',
];

/** The kinds of files that their first bytes tell apart (MIME Sniffing Standard §6, and the formats' own papers). */
export const fileKinds: readonly FileKind[] = [
  { type: 'image/png', also: ['image/x-png'], looks: begins('\x89PNG\r\n\x1a\n') },
  { type: 'image/jpeg', also: ['image/jpg', 'image/pjpeg'], looks: begins('\xff\xd8\xff') },
  { type: 'image/gif', also: [], looks: begins('GIF87a', 'GIF89a') },
  { type: 'image/webp', also: [], looks: riff('WEBP') },
  { type: 'image/tiff', also: [], looks: begins('II*\0', 'MM\0*') },
  { type: 'application/pdf', also: ['application/x-pdf'], looks: begins('%PDF-') },
  {
    type: 'application/zip',
    also: ['application/x-zip-compressed', 'application/epub+zip', ...officeTypes],
    looks: begins('PK\x03\x04', 'PK\x05\x06'),
  },
  { type: 'application/gzip', also: ['application/x-gzip'], looks: begins('\x1f\x8b\x08') },
  {
    type: 'application/x-ole-storage',
    also: oldOfficeTypes,
    looks: begins('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'),
  },
  { type: 'application/rtf', also: ['text/rtf', 'application/msword'], looks: begins('{\\rtf') },
  // Before the sync words of MP3: AAC's has zeros where MP3 names its layer.
  { type: 'audio/aac', also: ['audio/x-aac', 'audio/aacp'], looks: syncWord(0xf6, 0xf0) },
  {
    type: 'audio/mpeg',
    also: ['audio/mp3', 'audio/x-mp3'],
    looks: either(begins('ID3'), syncWord(0xe6, 0xe2)),
  },
  { type: 'audio/ogg', also: ['video/ogg', 'application/ogg', 'audio/opus'], looks: begins('OggS\0') },
  { type: 'audio/amr', also: ['audio/amr-wb', 'audio/amr-nb'], looks: begins('#!AMR') },
  { type: 'audio/flac', also: ['audio/x-flac'], looks: begins('fLaC') },
  { type: 'audio/wav', also: ['audio/x-wav', 'audio/wave', 'audio/vnd.wave'], looks: riff('WAVE') },
  { type: 'video/webm', also: ['audio/webm', 'video/x-matroska'], looks: begins('\x1a\x45\xdf\xa3') },
  // ISO base media files (ISO/IEC 14496-12 §4.3), told apart by their major brand.
  { type: 'image/heic', also: ['image/heif'], looks: brand('heic', 'heix', 'hevc', 'mif1', 'msf1') },
  { type: 'image/avif', also: [], looks: brand('avif', 'avis') },
  { type: 'video/3gpp', also: ['audio/3gpp', 'video/3gpp2', 'audio/3gpp2'], looks: brand('3g') },
  { type: 'video/quicktime', also: [], looks: brand('qt  ') },
  { type: 'audio/mp4', also: ['audio/x-m4a', 'audio/m4a', 'video/mp4'], looks: brand('M4A ', 'M4B ') },
  { type: 'video/mp4', also: ['audio/mp4', 'video/x-m4v', 'audio/x-m4a', 'audio/m4a'], looks: brand('') },
];

function begins(...signatures: readonly string[]) {
  return (head: Uint8Array) => signatures.some((signature) => standsAt(head, 0, signature));
}

function riff(form: string) {
  return (head: Uint8Array) => standsAt(head, 0, 'RIFF') && standsAt(head, 8, form);
}

function brand(...brands: readonly string[]) {
  return (head: Uint8Array) =>
    head.byteLength >= 12 && standsAt(head, 4, 'ftyp') && brands.some((name) => standsAt(head, 8, name));
}

// A frame without a container: eleven or twelve ones, then what sort of frame it is.
function syncWord(mask: number, bits: number) {
  return ([first, second]: Uint8Array) => first === 0xff && second !== undefined && (second & mask) === bits;
}

function either(...looks: readonly FileKind['looks'][]) {
  return (head: Uint8Array) => looks.some((look) => look(head));
}

function standsAt(head: Uint8Array, offset: number, signature: string): boolean {
  const wanted = Buffer.from(signature, 'latin1');
  return wanted.equals(head.subarray(offset, offset + wanted.byteLength));
}
