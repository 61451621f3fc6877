import { generateKeyPair, randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { exportJWK, type JWK, SignJWT } from 'jose';

type KeyPair = {
  kid: string;
  privateKey: Parameters<SignJWT['sign']>[0];
  jwk: JWK & { endorsements: string[] };
};

/** What a token says, where it is not to say what it should. */
export type TokenTwist = {
  claims?: Readonly<Record<string, unknown>>;
  header?: Readonly<Record<string, unknown>>;
  /** Signed by a key that is not published, under the id of one that is. */
  foreignKey?: boolean;
};

const makePair = promisify(generateKeyPair);
const lifetimeSeconds = 60 * 60;

export type Signing = Awaited<ReturnType<typeof createSigning>>;

/** The keys that the Bot Framework signs with, and publishes with what each may speak for. */
export async function createSigning(now: () => number, issuer: string) {
  const makeKey = async (endorsements: readonly string[]): Promise<KeyPair> => {
    const { publicKey, privateKey } = await makePair('rsa', { modulusLength: 2_048 });
    const kid = randomUUID();
    const jwk = { ...(await exportJWK(publicKey)), use: 'sig', kid, endorsements: [...endorsements] };
    return { kid, privateKey, jwk };
  };
  const published: KeyPair[] = [await makeKey(['msteams'])];
  const foreign = await makeKey(['msteams']);

  return {
    keysDocument: () => ({ keys: published.map(({ jwk }) => jwk) }),

    /** Signs with a new key from now on; the old ones stay published, or do not. */
    async rotate({ keepOld = false, endorsements = ['msteams'] } = {}) {
      if (!keepOld) published.length = 0;
      published.push(await makeKey(endorsements));
    },

    /** A token for a bot, with an address of the service in it. */
    async mint(audience: string, serviceUrl: string, twist: TokenTwist = {}): Promise<string> {
      const current = published.at(-1) ?? foreign;
      const { privateKey } = twist.foreignKey ? foreign : current;
      const nowSeconds = Math.floor(now() / 1_000);
      const claims = {
        ...{ iss: issuer, aud: audience, nbf: nowSeconds - 300, exp: nowSeconds + lifetimeSeconds },
        ...{ serviceurl: serviceUrl, ...twist.claims },
      };
      return new SignJWT(claims)
        .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: current.kid, ...twist.header })
        .sign(privateKey);
    },
  };
}
