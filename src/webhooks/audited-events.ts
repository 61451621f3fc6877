import type { ToldEvent } from './tell-webhooks.ts';

/** What is read of an audit event. */
type Audited = {
  actor: { kind: string };
  action: string;
  resource: { kind: string; id?: string };
  outcome: string;
  detail?: Readonly<Record<string, unknown>>;
};

/**
 * What webhooks are told of when this goes on the audit trail of a tenant (`trail`, on the wire): what was done to its
 * members and keys and to itself, by whichever way, and what was tried.
 */
export function toldByAudit(trail: string, event: Audited, actorId: string | undefined): ToldEvent[] {
  const { action, resource, outcome, detail = {} } = event;
  if (outcome === 'refused') return refused(trail, event, actorId);
  // A call that was made before, or that found nothing to change.
  if (outcome !== 'allowed' || detail['isRepeated'] === true || resource.id === undefined) return [];
  const { id } = resource;
  switch (action) {
    case 'member.added':
      return [{ type: 'member.added', data: { userId: id } }];
    case 'member.removed':
      return [{ type: 'member.removed', data: { userId: id } }];
    case 'member.role_changed': {
      const [from, to] = [text(detail['from']), text(detail['to'])];
      return from === to ? [] : [{ type: 'member.role_changed', data: { userId: id, from, to } }];
    }
    case 'invitation.accepted': {
      const userId = text(detail['userId']);
      return [
        { type: 'invitation.accepted', data: { invitationId: id, userId } },
        { type: 'member.added', data: { userId } },
      ];
    }
    case 'createApiKey':
      return [{ type: 'api_key.created', data: { apiKeyId: id } }];
    case 'rotateApiKey':
      return [{ type: 'api_key.created', data: { apiKeyId: text(detail['replacedBy']), replaces: id } }];
    case 'revokeApiKey': {
      const ended = Array.isArray(detail['ended']) ? detail['ended'].map(text) : [id];
      return ended.map((apiKeyId) => ({ type: 'api_key.revoked', data: { apiKeyId } }));
    }
    case 'suspendTenant':
      return [{ type: 'tenant.suspended', data: {} }];
    case 'resumeTenant':
      return [{ type: 'tenant.resumed', data: {} }];
    default:
      return [];
  }
}

// Whoever reaches for another tenant is told of on their own tenant's trail, and the tenant they reached for is not.
function refused(
  trail: string,
  { actor, action, resource }: Audited,
  actorId: string | undefined,
): ToldEvent[] {
  const isForeign = resource.kind === 'tenant' && resource.id !== undefined && resource.id !== trail;
  if (!isForeign || actor.kind !== 'api_key' || actorId === undefined) return [];
  return [{ type: 'security.cross_tenant_attempt', data: { apiKeyId: actorId, operation: action } }];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
