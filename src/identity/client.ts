import type { AuditEvent } from '#audit/audit-trail.ts';

/** Where a request comes from. Personal: it is sealed wherever it is kept. */
export type Client = {
  /** The address that counts, behind trusted proxies. */
  address: string;
  userAgent?: string;
  requestId?: string;
  /** It comes from the machine that the service runs on, with nobody in between. */
  isFromThisMachine?: boolean;
};

/** What an event of the audit trail tells of it. */
export function tracesOf({
  address,
  userAgent,
  requestId,
}: Client): Pick<AuditEvent, 'requestId' | 'personal'> {
  return {
    ...(requestId !== undefined && { requestId }),
    personal: {
      address,
      ...(userAgent !== undefined && { userAgent: userAgent.slice(0, userAgentLengthMax) }),
    },
  };
}

const userAgentLengthMax = 300;
