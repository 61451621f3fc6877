import { toWire, type Uuid } from '#domain/ids.ts';
import type { SealPlace } from '#kernel/key-ring.ts';
import type { IdentityParts } from '../identity-parts.ts';
import type { Providers } from './provider.ts';

export type SignOnParts = IdentityParts & { providers: Providers; publicUrl: string };

/** How long somebody may be at the provider. */
export const attemptLifetimeMs = 10 * 60_000;

/** Where a provider sends people back to; each connection has its own, so that none answers for another (RFC 9700 §4.4). */
export function redirectUriOf(publicUrl: string, connectionId: Uuid): string {
  return `${publicUrl}/sso/${toWire('signOnConnection', connectionId)}/callback`;
}

/** Where what a sign-in takes along is bound to. */
export function attemptPlace(connectionId: Uuid, stateHash: Buffer): SealPlace {
  return { tenantId: connectionId, table: 'sign_on_attempts', column: stateHash.toString('hex') };
}

/**
 * Whether a path is one of our own pages: whoever makes the link chooses where its reader ends up, and that is nowhere else
 * than here.
 */
export function isOwnPage(path: string): boolean {
  return path.length <= 500 && /^\/(?:(?:admin|docs)(?:\/[\w.~-]+)*\/?(?:\?[\w.~&=%-]*)?)?$/.test(path);
}
