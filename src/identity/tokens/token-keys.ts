import type { CryptoKey, JWK } from 'jose';

/** Where access tokens get their keys from. */
export interface TokenKeys {
  toSign(): Promise<{ kid: string; privateKey: CryptoKey }>;
  /** Only keys of ours: what a token says of where its key is found counts for nothing. */
  toVerify(kid: string): Promise<CryptoKey | undefined>;
  /** The key set as others read it (RFC 7517), with the key that signs next and those whose tokens have not ended. */
  published(): Promise<{ keys: JWK[] }>;
}
