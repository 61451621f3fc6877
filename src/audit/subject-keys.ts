import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Uuid } from '#domain/ids.ts';
import { createExpiringCache } from '#kernel/expiring-cache.ts';
import type { KeyRing, SealPlace } from '#kernel/key-ring.ts';
import type { Scopes } from '#tenancy/scopes.ts';

/** Whose personal data it is: of which person or key, in which trail. */
export type AuditSubject = { trail: Uuid; subject: Uuid };

/**
 * Whom what is personal in an event is about. Somebody without an id (a stranger, an operator at the command line) is known
 * by nothing that could be looked for later: all of them share the subject of the trail itself.
 */
export function subjectOf(trail: Uuid, actorId: Uuid | null | undefined): AuditSubject {
  return { trail, subject: actorId ?? trail };
}

/** How long a process may go on with a key that another one has erased: what it seals then is never opened again. */
const keyTtlMs = 60_000;
const keysMax = 2_000;

/** The keys of subjects: made once, kept sealed in the database, remembered for a short time. */
export function createSubjectKeys({ scopes, keyRing }: { scopes: Scopes; keyRing: KeyRing }) {
  const recent = createExpiringCache<Buffer>(keyTtlMs, keysMax);
  const nameOf = ({ trail, subject }: AuditSubject) => `${trail}/${subject}`;

  return {
    /** Outside of any unit. */
    keyOf: (who: AuditSubject): Promise<Buffer> =>
      recent(nameOf(who), async () => {
        const made = keyRing.seal(randomBytes(32).toString('base64'), placeOf(who));
        const [row] = await scopes.call<{ audit_subject_v1: string }>('swarmgate.audit_subject_v1', [
          who.trail,
          who.subject,
          made,
        ]);
        return openSubjectKey(keyRing, who, row?.audit_subject_v1 ?? made);
      }),
    forget: (who: AuditSubject) => recent.forget(nameOf(who)),
  };
}

/** @throws {SealBrokenError} */
export function openSubjectKey(keyRing: KeyRing, who: AuditSubject, sealedKey: string): Buffer {
  return Buffer.from(keyRing.open(sealedKey, placeOf(who)), 'base64');
}

function placeOf({ trail, subject }: AuditSubject): SealPlace {
  return { tenantId: trail, table: 'audit_subjects', column: `${subject}/key` };
}

const nonceBytes = 12;
const tagBytes = 16;

/** `v1.<base64url of nonce, ciphertext and tag>` (AES-256-GCM), bound to the event: it opens in no other one. */
export function sealPersonal(key: Buffer, personal: unknown, trail: Uuid, eventId: Uuid): string {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(associatedData(trail, eventId));
  const body = [nonce, cipher.update(JSON.stringify(personal), 'utf8'), cipher.final(), cipher.getAuthTag()];
  return `v1.${Buffer.concat(body).toString('base64url')}`;
}

/** `undefined` when it does not open: its key was erased, and perhaps another one made since. */
export function openPersonal(key: Buffer, sealed: string, trail: Uuid, eventId: Uuid): unknown {
  const [version, encoded = ''] = sealed.split('.');
  const body = Buffer.from(encoded, 'base64url');
  if (version !== 'v1' || body.length <= nonceBytes + tagBytes) return undefined;
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, body.subarray(0, nonceBytes), {
      authTagLength: tagBytes, // a shorter tag would be cheap to guess
    });
    decipher.setAAD(associatedData(trail, eventId));
    decipher.setAuthTag(body.subarray(-tagBytes));
    const text =
      decipher.update(body.subarray(nonceBytes, -tagBytes), undefined, 'utf8') + decipher.final('utf8');
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function associatedData(trail: Uuid, eventId: Uuid): Buffer {
  return Buffer.from(JSON.stringify(['audit', trail, eventId]));
}
