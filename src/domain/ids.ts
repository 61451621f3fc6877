import { randomFillSync } from 'node:crypto';

/** A UUID in its canonical text form. Rows hold it bare; on the wire it carries a type prefix (`cnv_…`). */
export type Uuid = string & { readonly __uuid: true };

/** The type prefixes of identifiers on the wire. */
const prefixes = {
  organization: 'org',
  tenant: 'tnt',
  channel: 'chn',
  participant: 'prt',
  conversation: 'cnv',
  message: 'msg',
  turn: 'trn',
  delivery: 'dlv',
  agent: 'agt',
  document: 'doc',
  event: 'evt',
  visitor: 'vis',
  user: 'usr',
  role: 'rol',
  apiKey: 'key',
  invitation: 'inv',
  transfer: 'trf',
  domain: 'dom',
  organizationInvitation: 'oin',
  tokenIssuer: 'iss',
  signOnConnection: 'sso',
  signOnDomain: 'sod',
  tokenSubject: 'sub',
  session: 'ses',
  passkey: 'psk',
  auditEvent: 'aud',
  webhook: 'whk',
} as const;

export type IdKind = keyof typeof prefixes;

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Tells whether a text is a UUID in lower-case canonical form. */
export function isUuid(text: string): text is Uuid {
  return uuidPattern.test(text);
}

/**
 * Makes a UUIDv7 (RFC 9562 §5.7): 48 bits of Unix milliseconds, then random bits, so that ids made later
 * sort later and B-tree inserts stay at the right edge.
 */
export function newId(nowMs: number = Date.now()): Uuid {
  const bytes = takeRandomBytes();
  bytes.writeUIntBE(nowMs, 0, 6);
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}` as Uuid;
}

/** Random bytes for many ids at once: each ask of the operating system costs more than an id. */
const random = Buffer.alloc(16 * 256);
let used = random.length;

function takeRandomBytes(): Buffer {
  if (used === random.length) {
    randomFillSync(random);
    used = 0;
  }
  used += 16;
  return random.subarray(used - 16, used);
}

/** The form an id takes on the wire: `toWire('message', id)` → `msg_0198…` (no dashes). */
export function toWire(kind: IdKind, id: string): string {
  return `${prefixes[kind]}_${id.replaceAll('-', '')}`;
}

/** Reads an id from the wire; `undefined` when the prefix or the form is wrong, as for an id that does not exist. */
export function fromWire(kind: IdKind, text: string): Uuid | undefined {
  const match = /^([a-z]{3})_([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/.exec(text);
  if (!match || match[1] !== prefixes[kind]) return undefined;
  return match.slice(2).join('-') as Uuid;
}
