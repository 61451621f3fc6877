import { apiKeyOperations } from './api-keys.ts';
import { auditOperations } from './audit.ts';
import { channelOperations } from './channels.ts';
import { conversationOperations } from './conversations.ts';
import { deadLetterOperations } from './dead-letters.ts';
import { domainOperations } from './domains.ts';
import { memberOperations } from './members.ts';
import { organizationMemberOperations } from './organization-members.ts';
import { organizationOperations } from './organizations.ts';
import { passkeyOperations } from './passkeys.ts';
import { peopleOperations } from './people.ts';
import { roleOperations } from './roles.ts';
import { signOnOperations } from './sign-on.ts';
import { tenantOperations } from './tenants.ts';
import { tokenIssuerOperations } from './token-issuers.ts';
import { transferOperations } from './transfers.ts';
import { webhookOperations } from './webhooks.ts';

/** Every call of the REST API, below `/api/v1`. */
export const api = {
  ...tenantOperations,
  ...channelOperations,
  ...transferOperations,
  ...domainOperations,
  ...conversationOperations,
  ...deadLetterOperations,
  ...memberOperations,
  ...roleOperations,
  ...apiKeyOperations,
  ...webhookOperations,
  ...tokenIssuerOperations,
  ...auditOperations,
  ...organizationOperations,
  ...organizationMemberOperations,
  ...signOnOperations,
  ...peopleOperations,
  ...passkeyOperations,
};

export type Api = typeof api;
export type OperationName = keyof Api;
