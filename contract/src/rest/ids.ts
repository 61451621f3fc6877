import { z } from 'zod';

/** Ids on the wire: a type's prefix and 32 hexadecimal digits. */
const prefixes = {
  tenantId: 'tnt',
  organizationId: 'org',
  apiKeyId: 'key',
  roleId: 'rol',
  userId: 'usr',
  channelId: 'chn',
  agentId: 'agt',
  conversationId: 'cnv',
  messageId: 'msg',
  sessionId: 'ses',
  passkeyId: 'psk',
  invitationId: 'inv',
  webhookId: 'whk',
  eventId: 'evt',
  transferId: 'trf',
  domainId: 'dom',
  organizationInvitationId: 'oin',
  tokenIssuerId: 'iss',
  signOnConnectionId: 'sso',
  signOnDomainId: 'sod',
} as const;

/** The ids that may stand in a path. */
export type PathId = keyof typeof prefixes;

export const pathIdPrefixes: Readonly<Record<PathId, string>> = prefixes;

/** The schema of an id in an answer. In a path or a query, one of another form is one that does not exist. */
export function wireId(name: PathId) {
  return z.string().regex(new RegExp(`^${prefixes[name]}_[0-9a-f]{32}$`));
}
