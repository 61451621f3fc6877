import { expect, test } from 'vitest';
import { z } from 'zod';
import { permissions } from './rest/permissions.ts';
import { webhookEvents, webhookEventTypes, webhookPayload } from './webhook-events.ts';

test.each(webhookEventTypes)(
  '%s has a name as Standard Webhooks wants it, and says who may read it',
  (type) => {
    expect(type).toMatch(/^[a-z_]+(?:\.[a-z_]+)+$/);
    expect(permissions).toContain(webhookEvents[type].reads);
    const described = z.toJSONSchema(webhookPayload(type, webhookEvents[type].data));
    expect(described).toMatchObject({ type: 'object', additionalProperties: false });
  },
);

// What receivers have been written for. A field may be added here; none goes or changes.
test('what is told of stays what it was', () => {
  const fields = Object.fromEntries(
    webhookEventTypes.map((type) => {
      const { properties = {}, required = [] } = z.toJSONSchema(webhookEvents[type].data);
      return [type, Object.keys(properties).map((name) => (required.includes(name) ? name : `${name}?`))];
    }),
  );
  const conversation = ['conversationId', 'channelId'];
  const said = [...conversation, 'messageId', 'sequence'];
  const text = ['text?', 'isTextCut?'];
  expect(fields).toEqual({
    'conversation.started': conversation,
    'message.received': [...said, 'kind', ...text],
    'message.answered': [...said, 'inReplyToId', ...text],
    'turn.failed': ['conversationId', 'turnId', 'error'],
    'delivery.failed': ['conversationId', 'deliveryId', 'error'],
    'channel.status_changed': ['channelId', 'status'],
    'member.added': ['userId'],
    'member.removed': ['userId'],
    'member.role_changed': ['userId', 'from', 'to'],
    'invitation.accepted': ['invitationId', 'userId'],
    'api_key.created': ['apiKeyId', 'replaces?'],
    'api_key.revoked': ['apiKeyId'],
    'tenant.suspended': [],
    'tenant.resumed': [],
    'security.cross_tenant_attempt': ['apiKeyId', 'operation'],
    'security.refresh_token_reused': ['userId'],
  });
});
