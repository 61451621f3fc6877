import type { AuditEvent } from './audit-trail.ts';

/** What an event may take at most: strangers choose parts of it, and a trail is kept for years. */
const textLengthMax = {
  action: 100,
  kind: 100,
  id: 200,
  reason: 500,
  requestId: 100,
  address: 100,
  userAgent: 500,
  subject: 300,
};
const detailLengthMax = 8_000;

/**
 * Makes an event one that the database takes, whatever a stranger has put in it: what is too long is cut, and so is what
 * Postgres has no text for (the sign U+0000, halves of signs).
 */
export function fitEvent(event: AuditEvent): AuditEvent {
  const { resource, reason, requestId, detail, personal } = event;
  const cut = (name: keyof typeof textLengthMax, text: string) =>
    wellFormed(text.slice(0, textLengthMax[name]));
  return {
    ...event,
    action: cut('action', event.action),
    resource: {
      kind: cut('kind', resource.kind),
      ...(resource.id !== undefined && { id: cut('id', resource.id) }),
    },
    ...(reason !== undefined && { reason: cut('reason', reason) }),
    ...(requestId !== undefined && { requestId: cut('requestId', requestId) }),
    ...(detail !== undefined && { detail: fitDetail(detail) }),
    ...(personal !== undefined && {
      personal: {
        ...(personal.address !== undefined && { address: cut('address', personal.address) }),
        ...(personal.userAgent !== undefined && { userAgent: cut('userAgent', personal.userAgent) }),
        ...(personal.subject !== undefined && { subject: cut('subject', personal.subject) }),
      },
    }),
  };
}

function fitDetail(detail: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const plain = JSON.parse(JSON.stringify(detail)) as Record<string, unknown>;
  const fitted = wellFormedAll(plain) as Record<string, unknown>;
  return JSON.stringify(fitted).length <= detailLengthMax ? fitted : { tooLong: true };
}

function wellFormedAll(value: unknown): unknown {
  if (typeof value === 'string') return wellFormed(value);
  if (Array.isArray(value)) return value.map(wellFormedAll);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [wellFormed(name), wellFormedAll(inner)]),
  );
}

// Writing it as bytes and reading them again makes halves of signs whole.
function wellFormed(text: string): string {
  return Buffer.from(text.replaceAll('\u0000', '\ufffd')).toString();
}
