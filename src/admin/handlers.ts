import type { AuditRecords, AuditTrail } from '#audit/audit-trail.ts';
import type { SendMessage } from '#conversations/send-message.ts';
import type { WriteFirst } from '#conversations/write-first.ts';
import type { Uuid } from '#domain/ids.ts';
import type { Identity } from '#identity/identity.ts';
import type { KeyRing } from '#kernel/key-ring.ts';
import type { Scopes } from '#tenancy/scopes.ts';
import { agentHandlers } from './agents.ts';
import { apiKeyHandlers } from './api-keys.ts';
import type { CountCalls } from './api-parts.ts';
import { auditHandlers } from './audit.ts';
import { billingHandlers } from './billing.ts';
import { type ChannelHandlerParts, channelHandlers } from './channels.ts';
import { countClaim, tellClaimRefused } from './claims.ts';
import { conversationHandlers } from './conversations.ts';
import { deadLetterHandlers } from './dead-letters.ts';
import { type DomainHandlerParts, domainHandlers } from './domains.ts';
import type { Handlers } from './handler.ts';
import { memberHandlers } from './members.ts';
import { organizationLifeHandlers } from './organization-life.ts';
import { organizationMemberHandlers } from './organization-members.ts';
import { organizationHandlers } from './organizations.ts';
import { passkeyHandlers } from './passkeys.ts';
import { personHandlers } from './people.ts';
import { roleHandlers } from './roles.ts';
import { signOnHandlers } from './sign-on.ts';
import { tenantLifeHandlers } from './tenant-life.ts';
import { tenantHandlers } from './tenants.ts';
import { tokenIssuerHandlers } from './token-issuers.ts';
import { transferHandlers } from './transfers.ts';
import { webhookHandlers } from './webhooks.ts';

export type HandlerParts = {
  scopes: Scopes;
  sendMessage: SendMessage;
  writeFirst: WriteFirst;
  records: AuditRecords;
  people: () => Identity;
  forgetKey: (tenantId: Uuid, prefix: string) => void;
  keyRing: KeyRing;
  trail: AuditTrail;
  countCalls: CountCalls;
  /** How long a tenant that was closed can be reopened. */
  graceMs: number;
} & Pick<ChannelHandlerParts, 'sharedApps' | 'allowedHosts' | 'forgetChannel' | 'makeInstallLink'> &
  Pick<DomainHandlerParts, 'resolveTxt' | 'publicUrl' | 'baseDomain'>;

/** What answers each operation of the contract; one that nothing answers is a type error here. */
export function createHandlers(parts: HandlerParts): Handlers {
  const { scopes, sendMessage, writeFirst, records, people, forgetKey, trail, keyRing } = parts;
  const channelParts: ChannelHandlerParts = {
    ...parts,
    countClaim: (tenantId) => countClaim(parts.countCalls, tenantId),
    tellClaimRefused: (asked, wanted) => tellClaimRefused({ scopes, trail }, asked, wanted),
  };
  return {
    ...organizationHandlers(people),
    ...organizationLifeHandlers(parts),
    ...billingHandlers(keyRing),
    ...organizationMemberHandlers(people, trail),
    ...signOnHandlers(people),
    ...tenantHandlers,
    ...tenantLifeHandlers(parts),
    ...channelHandlers(channelParts),
    ...transferHandlers({ ...channelParts, trail }),
    ...domainHandlers(parts),
    ...agentHandlers(parts),
    ...conversationHandlers({ scopes, sendMessage, writeFirst }),
    ...deadLetterHandlers,
    ...personHandlers(people),
    ...passkeyHandlers(people),
    ...memberHandlers(people),
    ...roleHandlers,
    ...apiKeyHandlers(forgetKey),
    ...webhookHandlers(parts),
    ...tokenIssuerHandlers(keyRing, people),
    ...auditHandlers(records),
  };
}
