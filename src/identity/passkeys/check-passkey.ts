import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/server';
import type { Uuid } from '#domain/ids.ts';
import { ceremonyLifetimeMs } from './ceremonies.ts';
import type { RelyingParty } from './relying-party.ts';

/** What a browser hands over of an authenticator's answer (`PublicKeyCredential.toJSON()`). */
export type RegistrationAnswer = Pick<RegistrationResponseJSON, 'id' | 'rawId' | 'type'> & {
  response: { clientDataJSON: string; attestationObject: string; transports?: string[] | undefined };
};
export type AssertionAnswer = Pick<AuthenticationResponseJSON, 'id' | 'rawId' | 'type'> & {
  response: {
    clientDataJSON: string;
    authenticatorData: string;
    signature: string;
    userHandle?: string | null | undefined;
  };
};

/** What a browser is told to ask an authenticator for. */
export type CreationOptions = PublicKeyCredentialCreationOptionsJSON;
export type RequestOptions = PublicKeyCredentialRequestOptionsJSON;

/** A passkey as it is told to browsers, to be asked for or to be left out. */
export type KnownCredential = { credentialId: Buffer; transports: readonly string[] };

/** Ed25519, ES256, and RS256 for the authenticators of Windows that have no other (COSE). */
const algorithms = [-8, -7, -257];

// It is much to load, with what it brings along for attestations, and most processes and commands see no passkey.
const library = () => import('@simplewebauthn/server');

export async function creationOptions(
  { id, name }: RelyingParty,
  {
    challenge,
    person,
    known,
  }: {
    challenge: Buffer;
    person: { id: Uuid; email: string; name: string };
    known: readonly KnownCredential[];
  },
): Promise<CreationOptions> {
  const { generateRegistrationOptions } = await library();
  return generateRegistrationOptions({
    ...{ rpID: id, rpName: name, challenge: bytesOf(challenge), timeout: ceremonyLifetimeMs },
    ...{ userID: userHandleOf(person.id), userName: person.email, userDisplayName: person.name },
    // Who made the authenticator decides nothing here, so nobody is asked to say it.
    attestationType: 'none',
    excludeCredentials: known.map(describe),
    // To be signed in by alone it has to know whose it is, and to have made sure who uses it.
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    supportedAlgorithmIDs: algorithms,
  });
}

export async function requestOptions(
  { id }: RelyingParty,
  { challenge, known }: { challenge: Buffer; known?: readonly KnownCredential[] },
): Promise<RequestOptions> {
  const { generateAuthenticationOptions } = await library();
  return generateAuthenticationOptions({
    ...{ rpID: id, challenge: bytesOf(challenge), timeout: ceremonyLifetimeMs },
    ...(known && { allowCredentials: known.map(describe) }),
    userVerification: 'required',
  });
}

/** What an authenticator says of a passkey that it has made. */
export type MadePasskey = {
  credentialId: Buffer;
  publicKey: Buffer;
  signCount: number;
  transports: string[];
  isBackedUp: boolean;
};

/** Looks at a registration. `undefined`: it is not one for this party, challenge and purpose. */
export async function checkRegistration(
  party: RelyingParty,
  challenge: Buffer,
  answer: RegistrationAnswer,
): Promise<MadePasskey | undefined> {
  const { verifyRegistrationResponse } = await library();
  try {
    if (isFramed(answer.response) || !(await isUnattested(answer))) return undefined;
    const { registrationInfo: made } = await verifyRegistrationResponse({
      response: {
        ...{ id: answer.id, rawId: answer.rawId, type: answer.type, clientExtensionResults: {} },
        response: {
          clientDataJSON: answer.response.clientDataJSON,
          attestationObject: answer.response.attestationObject,
        },
      },
      ...expected(party, challenge),
      supportedAlgorithmIDs: algorithms,
    });
    if (made?.credential.id !== answer.id) return undefined;
    return {
      credentialId: Buffer.from(made.credential.id, 'base64url'),
      publicKey: Buffer.from(made.credential.publicKey),
      signCount: made.credential.counter,
      transports: [...new Set(answer.response.transports)],
      isBackedUp: made.credentialBackedUp,
    };
  } catch (error) {
    return notGood(error);
  }
}

/** What an authenticator says when a passkey is used. */
export type ShownPasskey = { signCount: number; isBackedUp: boolean; userHandle: Buffer | undefined };

/**
 * Looks at the use of a passkey, all but its count: that is compared under the row's lock. `undefined`: it is not one by
 * this key for this party, challenge and purpose.
 */
export async function checkAssertion(
  party: RelyingParty,
  challenge: Buffer,
  { credentialId, publicKey }: { credentialId: Buffer; publicKey: Buffer },
  answer: AssertionAnswer,
): Promise<ShownPasskey | undefined> {
  const { verifyAuthenticationResponse } = await library();
  const { clientDataJSON, authenticatorData, signature, userHandle } = answer.response;
  try {
    if (isFramed(answer.response)) return undefined;
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: {
        ...{ id: answer.id, rawId: answer.rawId, type: answer.type, clientExtensionResults: {} },
        response: { clientDataJSON, authenticatorData, signature },
      },
      ...expected(party, challenge),
      // With 0 here the library leaves the count to us. It would look at it before the signature, so that anybody could make
      // a passkey look copied.
      credential: {
        id: credentialId.toString('base64url'),
        publicKey: bytesOf(publicKey),
        counter: 0,
      },
    });
    if (!verified) return undefined;
    return {
      signCount: authenticationInfo.newCounter,
      isBackedUp: authenticationInfo.credentialBackedUp,
      userHandle: userHandle ? Buffer.from(userHandle, 'base64url') : undefined,
    };
  } catch (error) {
    return notGood(error);
  }
}

/** What an authenticator keeps to know whose a passkey is: the bytes of their id, which says nothing about them. */
export function userHandleOf(userId: Uuid) {
  return bytesOf(Buffer.from(userId.replaceAll('-', ''), 'hex'));
}

const expected = ({ id, origin }: RelyingParty, challenge: Buffer) => ({
  expectedRPID: id,
  expectedOrigin: origin,
  expectedChallenge: challenge.toString('base64url'),
  requireUserVerification: true,
});

// The library says by an error that an answer is not what it should be, whatever kind it is. What it says holds what a
// stranger sent, and goes nowhere.
function notGood(_error: unknown): undefined {
  return undefined;
}

// No page of ours stands in another's frame; a browser that says so was made to by somebody.
function isFramed({ clientDataJSON }: { clientDataJSON: string }): boolean {
  const said = JSON.parse(Buffer.from(clientDataJSON, 'base64url').toString()) as {
    crossOrigin?: unknown;
  } | null;
  return said?.crossOrigin === true;
}

// None was asked for, and then a browser sends none or the key's own. To look at another one the library would read certificates
// and ask their issuers' servers about them, all for something that decides nothing here.
async function isUnattested({ response }: RegistrationAnswer): Promise<boolean> {
  const { decodeAttestationObject } = await import('@simplewebauthn/server/helpers');
  const attestation = decodeAttestationObject(bytesOf(Buffer.from(response.attestationObject, 'base64url')));
  const format = attestation.get('fmt');
  return format === 'none' || (format === 'packed' && !attestation.get('attStmt').get('x5c'));
}

function describe({ credentialId, transports }: KnownCredential) {
  return { id: credentialId.toString('base64url'), transports: [...transports] };
}

function bytesOf(buffer: Buffer): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer);
}
