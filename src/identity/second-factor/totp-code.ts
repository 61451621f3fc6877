import { Secret, TOTP } from 'otpauth';

/** What authenticator apps understand, all of them (the URI's defaults). */
const periodSeconds = 30;
const secretBytes = 20;
/** Steps on either side of now whose code is good: clocks of telephones are wrong, and typing takes a while (RFC 6238 §5.2). */
const stepsAside = 1;

export type TotpForm = { algorithm?: 'SHA1' | 'SHA256' | 'SHA512'; digits?: number };

/** A new shared secret, in base32 as apps take it. */
export function newTotpSecret(): string {
  return new Secret({ size: secretBytes }).base32;
}

/** The address that a QR code of it holds. */
export function totpUri(secret: string, { issuer, account }: { issuer: string; account: string }): string {
  return new TOTP({ issuer, label: account, secret, period: periodSeconds }).toString();
}

/** The step whose code this is, near `nowMs` (RFC 6238); `undefined` when it is none. Compared in constant time. */
export function stepOfCode(
  secret: string,
  code: string,
  nowMs: number,
  { algorithm = 'SHA1', digits = 6 }: TotpForm = {},
): number | undefined {
  const typed = code.replace(/[\s-]/g, '');
  if (!new RegExp(`^[0-9]{${digits}}$`).test(typed)) return undefined;
  const totp = new TOTP({ secret, period: periodSeconds, algorithm, digits });
  const stepsAway = totp.validate({ token: typed, timestamp: nowMs, window: stepsAside });
  return stepsAway === null ? undefined : Math.floor(nowMs / 1_000 / periodSeconds) + stepsAway;
}
