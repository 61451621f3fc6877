import type { AuditRecords } from '#audit/audit-trail.ts';
import type { SendMessage } from '#conversations/send-message.ts';
import type { WriteFirst } from '#conversations/write-first.ts';
import type { Uuid } from '#domain/ids.ts';
import type { Identity } from '#identity/identity.ts';
import type { KeyRing } from '#kernel/key-ring.ts';
import type { Scopes } from '#tenancy/scopes.ts';
import { apiKeyHandlers } from './api-keys.ts';
import { auditHandlers } from './audit.ts';
import { channelHandlers } from './channels.ts';
import { conversationHandlers } from './conversations.ts';
import { deadLetterHandlers } from './dead-letters.ts';
import type { Handlers } from './handler.ts';
import { memberHandlers } from './members.ts';
import { organizationHandlers } from './organizations.ts';
import { passkeyHandlers } from './passkeys.ts';
import { personHandlers } from './people.ts';
import { roleHandlers } from './roles.ts';
import { tenantHandlers } from './tenants.ts';
import { webhookHandlers } from './webhooks.ts';

export type HandlerParts = {
  scopes: Scopes;
  sendMessage: SendMessage;
  writeFirst: WriteFirst;
  records: AuditRecords;
  people: () => Identity;
  forgetKey: (tenantId: Uuid, prefix: string) => void;
  keyRing: KeyRing;
  allowedHosts: readonly string[];
};

/** What answers each operation of the contract; one that nothing answers is a type error here. */
export function createHandlers({
  scopes,
  sendMessage,
  writeFirst,
  records,
  people,
  forgetKey,
  keyRing,
  allowedHosts,
}: HandlerParts): Handlers {
  return {
    ...organizationHandlers,
    ...tenantHandlers,
    ...channelHandlers,
    ...conversationHandlers({ scopes, sendMessage, writeFirst }),
    ...deadLetterHandlers,
    ...personHandlers(people),
    ...passkeyHandlers(people),
    ...memberHandlers(people),
    ...roleHandlers,
    ...apiKeyHandlers(forgetKey),
    ...webhookHandlers({ keyRing, allowedHosts }),
    ...auditHandlers(records),
  };
}
