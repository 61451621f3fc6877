import { createHash, randomBytes } from 'node:crypto';

/** What is handed out, each with a beginning of its own: it can be told what was leaked, and none passes for another. */
const beginnings = {
  session: 'sgs_',
  refresh: 'sgr_',
  challenge: 'sgc_',
  link: 'sgl_',
  invitation: 'sgi_',
  ceremony: 'sgp_',
  /** Of a sign-in that is at a provider, and of the browser that began it. */
  signOn: 'sgo_',
  browser: 'sgb_',
} as const;

export type SecretKind = keyof typeof beginnings;

const secretBytes = 32;
const secretForm = /^[A-Za-z0-9_-]{43}$/;

/** A secret nobody can guess, and what is kept of it: the SHA-256 of 256 random bits needs no slow hash. */
export function newSecret(kind: SecretKind): { token: string; hash: Buffer } {
  const token = beginnings[kind] + randomBytes(secretBytes).toString('base64url');
  return { token, hash: sha256(token) };
}

/** What is kept of a secret that somebody brings; `undefined` when it cannot be one of that kind. */
export function hashOfSecret(kind: SecretKind, token: string): Buffer | undefined {
  const beginning = beginnings[kind];
  const isOne = token.startsWith(beginning) && secretForm.test(token.slice(beginning.length));
  return isOne ? sha256(token) : undefined;
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
