import { z } from 'zod';
import { pageOf, pageQuery, timestamp } from './common.ts';
import { operations } from './operation.ts';

const outcome = z.enum(['allowed', 'refused', 'failed']);
const actorKind = z.enum(['user', 'api_key', 'token_subject', 'operator', 'system', 'nobody']);

export const auditEvent = z.strictObject({
  id: z.string().meta({ description: '`aud_…`' }),
  at: timestamp,
  actor: z.strictObject({
    kind: actorKind,
    id: z.string().optional().meta({ description: '`usr_…`, `key_…` or `sub_…`' }),
  }),
  action: z.string(),
  permission: z.string().optional(),
  resource: z.strictObject({ kind: z.string(), id: z.string().optional() }),
  outcome,
  reason: z.string(),
  requestId: z.string().optional(),
  detail: z.unknown(),
  personal: z
    .strictObject({
      address: z.string().optional(),
      userAgent: z.string().optional(),
      subject: z
        .string()
        .optional()
        .meta({ description: 'What the tenant’s own issuer calls the holder of a token.' }),
    })
    .optional()
    .meta({ description: 'Absent where there was nothing personal, and where that was erased.' }),
  isErased: z.literal(true).optional(),
});

export const auditOperations = operations({
  listAuditEvents: {
    method: 'get',
    path: '/tenants/{tenantId}/audit-events',
    tag: 'Audit',
    summary: 'Look through what was done and what was refused, the latest first',
    needs: 'audit:read',
    query: z.strictObject({
      ...pageQuery.shape,
      actor: z
        .string()
        .regex(/^(?:(?:usr|key|sub)_[0-9a-f]{32}|user|api_key|token_subject|operator|system|nobody)$/)
        .optional()
        .meta({ description: '`usr_…`, `key_…`, `sub_…`, or a kind of actor.' }),
      action: z.string().min(1).max(100).optional(),
      resourceId: z.string().min(1).max(200).optional(),
      outcome: outcome.optional(),
      after: timestamp.optional(),
      before: timestamp.optional(),
    }),
    answer: { status: 200, body: pageOf(auditEvent) },
  },
});
