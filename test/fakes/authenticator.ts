import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { cborMap } from './cbor.ts';

/**
 * An authenticator and the browser before it, in software: as strict as both are about where a passkey is made and used
 * (WebAuthn Level 3 §5.1.3, §5.1.4, §6.3). `lies` says what an attacker's would say otherwise.
 */
export type Authenticator = ReturnType<typeof anAuthenticator>;

/** What a page of ours gives to `navigator.credentials`. */
type CreationOptions = {
  rp: { id: string; name: string };
  user: { id: string; name: string; displayName: string };
  challenge: string;
  pubKeyCredParams: { type: string; alg: number }[];
  excludeCredentials?: { id: string }[];
  authenticatorSelection?: { residentKey?: string; userVerification?: string };
  attestation?: string;
};
type RequestOptions = {
  rpId: string;
  challenge: string;
  allowCredentials?: { id: string }[];
  userVerification?: string;
};

/** What is not as it should be. */
export type Lies = {
  origin?: string;
  rpId?: string;
  challenge?: string;
  type?: string;
  crossOrigin?: boolean;
  isUserVerified?: boolean;
  isUserPresent?: boolean;
  signCount?: number;
  userHandle?: string | null;
  /** Changes one bit of the signature. */
  isSignatureBroken?: boolean;
  /** Calls itself by this credential. */
  credentialId?: string;
  /** A key of this algorithm, though it was not asked for. */
  algorithm?: number;
  attestation?: { format: string; statement: ReadonlyMap<string, unknown> };
};

type Key = {
  id: Buffer;
  rpId: string;
  userHandle: string;
  privateKey: KeyObject;
  signCount: number;
};

const ed25519 = -8;
const es256 = -7;

export type AuthenticatorOptions = {
  /** Of the page that asks. */
  origin: string;
  algorithm?: typeof es256 | typeof ed25519;
  /** Whether it counts its signatures. Those that are brought to several devices do not. */
  counts?: boolean;
  isBackedUp?: boolean;
  /** Whether it vouches for a new key by that key itself. */
  isSelfAttested?: boolean;
};

export function anAuthenticator(options: AuthenticatorOptions, keys: Key[] = []) {
  const { origin, algorithm = es256, counts = true, isBackedUp = false, isSelfAttested = false } = options;

  /** A page may ask for its own host, or for a domain above it. */
  function refuseForeign(rpId: string): void {
    const { hostname, protocol } = new URL(origin);
    const isSecure = protocol === 'https:' || hostname === 'localhost';
    if (!isSecure) throw new DOMException('The page is not secure.', 'SecurityError');
    if (/^[\d.]+$|^\[/.test(hostname)) throw new DOMException('An address is no domain.', 'SecurityError');
    if (rpId !== hostname && !(hostname.endsWith(`.${rpId}`) && rpId.includes('.')))
      throw new DOMException(`"${rpId}" is not of ${origin}.`, 'SecurityError');
  }

  function flagsOf(lies: Lies, isAttested: boolean): number {
    return (
      (lies.isUserPresent === false ? 0 : 0x01) |
      (lies.isUserVerified === false ? 0 : 0x04) |
      (isBackedUp ? 0x18 : 0) |
      (isAttested ? 0x40 : 0)
    );
  }

  function clientData(type: string, challenge: string, lies: Lies): Buffer {
    return Buffer.from(
      JSON.stringify({
        type: lies.type ?? type,
        challenge: lies.challenge ?? challenge,
        origin: lies.origin ?? origin,
        crossOrigin: lies.crossOrigin ?? false,
      }),
    );
  }

  function authenticatorData(rpId: string, flags: number, signCount: number, rest = Buffer.alloc(0)): Buffer {
    const head = Buffer.alloc(5);
    head.writeUInt8(flags, 0);
    head.writeUInt32BE(signCount, 1);
    return Buffer.concat([sha256(rpId), head, rest]);
  }

  function signedBy({ privateKey }: Key, bytes: Buffer): Buffer {
    return sign(algorithm === ed25519 ? null : 'sha256', bytes, privateKey);
  }

  return {
    /** The credentials that it holds, by their ids. */
    get credentialIds(): string[] {
      return keys.map(({ id }) => id.toString('base64url'));
    },
    /** All that is in it, for whoever makes a copy. */
    secrets: { options, keys },

    /** `navigator.credentials.create()`, as its answer's `toJSON()` gives it. */
    create(given: object, lies: Lies = {}) {
      const options = given as CreationOptions;
      refuseForeign(options.rp.id);
      if (Buffer.from(options.challenge, 'base64url').length < 16)
        throw new Error('A challenge of 16 bytes or more.');
      const handle = Buffer.from(options.user.id, 'base64url');
      if (handle.length < 1 || handle.length > 64) throw new TypeError('A user handle of 1 to 64 bytes.');
      if (handle.includes(options.user.name)) throw new Error('A user handle tells nothing about a person.');
      if (options.authenticatorSelection?.residentKey !== 'required')
        throw new Error('Not asked to be found.');
      if (options.authenticatorSelection.userVerification !== 'required')
        throw new Error('Not asked to verify.');
      if (
        options.excludeCredentials?.some(({ id }) => keys.some((key) => key.id.toString('base64url') === id))
      )
        throw new DOMException('There is one of this authenticator.', 'InvalidStateError');
      const chosen = lies.algorithm ?? algorithm;
      if (lies.algorithm === undefined && !options.pubKeyCredParams.some(({ alg }) => alg === chosen))
        throw new DOMException(`${chosen} is not wanted.`, 'NotSupportedError');

      const { privateKey, publicKey } =
        algorithm === ed25519
          ? generateKeyPairSync('ed25519')
          : generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const key: Key = {
        ...{ id: randomBytes(32), rpId: options.rp.id, userHandle: options.user.id, privateKey },
        signCount: counts ? 1 : 0,
      };
      const id = lies.credentialId ? Buffer.from(lies.credentialId, 'base64url') : key.id;
      // One account has one key here; a new one takes its place.
      const former = keys.findIndex((one) => one.rpId === key.rpId && one.userHandle === key.userHandle);
      if (former >= 0) keys.splice(former, 1);
      keys.push(key);

      const length = Buffer.alloc(2);
      length.writeUInt16BE(id.length);
      const attested = Buffer.concat([Buffer.alloc(16), length, id, coseKey(publicKey, chosen)]);
      const data = authenticatorData(
        lies.rpId ?? options.rp.id,
        flagsOf(lies, true),
        lies.signCount ?? key.signCount,
        attested,
      );
      const said = clientData('webauthn.create', options.challenge, lies);
      const ownAttestation = () => ({
        format: 'packed',
        statement: new Map<string, unknown>([
          ['alg', chosen],
          ['sig', signedBy(key, Buffer.concat([data, sha256(said)]))],
        ]),
      });
      const attestation = lies.attestation ?? (isSelfAttested ? ownAttestation() : undefined);
      const attestationObject = cborMap([
        ['fmt', attestation?.format ?? 'none'],
        ['attStmt', attestation?.statement ?? new Map()],
        ['authData', data],
      ]);
      return {
        ...{ id: id.toString('base64url'), rawId: id.toString('base64url'), type: 'public-key' as const },
        authenticatorAttachment: 'platform',
        clientExtensionResults: {},
        response: {
          clientDataJSON: said.toString('base64url'),
          attestationObject: attestationObject.toString('base64url'),
          transports: ['internal', 'hybrid'],
        },
      };
    },

    /** `navigator.credentials.get()`, likewise. */
    get(given: object, lies: Lies = {}) {
      const options = given as RequestOptions;
      refuseForeign(options.rpId);
      if (options.userVerification !== 'required') throw new Error('Not asked to verify.');
      const allowed = options.allowCredentials;
      const key = keys.find(
        ({ rpId, id }) =>
          rpId === options.rpId &&
          (!allowed?.length || allowed.some((one) => one.id === id.toString('base64url'))),
      );
      if (!key) throw new DOMException('There is no passkey for it here.', 'NotAllowedError');
      if (counts) key.signCount++;
      const data = authenticatorData(
        lies.rpId ?? options.rpId,
        flagsOf(lies, false),
        lies.signCount ?? key.signCount,
      );
      const said = clientData('webauthn.get', options.challenge, lies);
      const signature = signedBy(key, Buffer.concat([data, sha256(said)]));
      if (lies.isSignatureBroken) signature[signature.length - 1] = (signature.at(-1) ?? 0) ^ 1;
      const id = lies.credentialId ?? key.id.toString('base64url');
      return {
        ...{ id, rawId: id, type: 'public-key' as const },
        authenticatorAttachment: 'platform',
        clientExtensionResults: {},
        response: {
          clientDataJSON: said.toString('base64url'),
          authenticatorData: data.toString('base64url'),
          signature: signature.toString('base64url'),
          userHandle: lies.userHandle === undefined ? key.userHandle : lies.userHandle,
        },
      };
    },
  };
}

/** Another one with the same keys, as a thief of all of them has. */
export function copyOf({ secrets }: Authenticator): Authenticator {
  return anAuthenticator(
    secrets.options,
    secrets.keys.map((key) => ({ ...key })),
  );
}

function sha256(bytes: string | Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/** A COSE_Key (RFC 9053 §7). */
function coseKey(publicKey: KeyObject, algorithm: number): Buffer {
  const { kty, x = '', y } = publicKey.export({ format: 'jwk' });
  return cborMap([
    [1, kty === 'OKP' ? 1 : 2],
    [3, algorithm],
    [-1, kty === 'OKP' ? 6 : 1],
    [-2, Buffer.from(x, 'base64url')],
    ...(y === undefined ? [] : [[-3, Buffer.from(y, 'base64url')] as const]),
  ]);
}
