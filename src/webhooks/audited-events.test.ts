import { webhookEvents } from '@swarmgate/contract/webhook-events.ts';
import { expect, test } from 'vitest';
import { toldByAudit } from './audited-events.ts';

const trail = `tnt_${'1'.repeat(32)}`;
const [user, key, other] = [`usr_${'2'.repeat(32)}`, `key_${'3'.repeat(32)}`, `key_${'4'.repeat(32)}`];
const invitation = `inv_${'5'.repeat(32)}`;

const told = (action: string, id: string | undefined, more: object = {}) =>
  toldByAudit(
    trail,
    {
      ...{ actor: { kind: 'api_key' }, action, outcome: 'allowed' },
      resource: { kind: 'members', ...(id !== undefined && { id }) },
      ...more,
    },
    key,
  );

test.each<[string, string, object, string[]]>([
  ['member.added', user, {}, ['member.added']],
  ['member.removed', user, { detail: { from: 'admin' } }, ['member.removed']],
  ['member.role_changed', user, { detail: { from: 'viewer', to: 'admin' } }, ['member.role_changed']],
  ['invitation.accepted', invitation, { detail: { userId: user } }, ['invitation.accepted', 'member.added']],
  ['createApiKey', key, {}, ['api_key.created']],
  ['rotateApiKey', key, { detail: { replacedBy: other } }, ['api_key.created']],
  ['revokeApiKey', key, { detail: { ended: [key, other] } }, ['api_key.revoked', 'api_key.revoked']],
  ['suspendTenant', trail, {}, ['tenant.suspended']],
  ['resumeTenant', trail, {}, ['tenant.resumed']],
])('%s is told of, as the contract has it', (action, id, more, types) => {
  const events = told(action, id, more);
  expect(events.map(({ type }) => type)).toEqual(types);
  for (const { type, data } of events) expect(webhookEvents[type].data.parse(data)).toEqual(data);
});

test('what had no effect is not told of', () => {
  expect(told('createApiKey', key, { detail: { isRepeated: true } })).toEqual([]);
  expect(told('suspendTenant', trail, { detail: { isRepeated: true } })).toEqual([]);
  expect(told('revokeApiKey', key, { detail: { ended: [] } })).toEqual([]);
  expect(told('createApiKey', key, { outcome: 'failed' })).toEqual([]);
  expect(told('revokeApiKey', key, { outcome: 'refused' })).toEqual([]);
  expect(told('listMembers', undefined)).toEqual([]);
});

test('whoever reaches for another tenant is told of to their own, and not where they reached', () => {
  const refused = { outcome: 'refused', resource: { kind: 'tenant', id: `tnt_${'9'.repeat(32)}` } };
  expect(told('getTenant', undefined, refused)).toEqual([
    { type: 'security.cross_tenant_attempt', data: { apiKeyId: key, operation: 'getTenant' } },
  ]);
  const own = { outcome: 'refused', resource: { kind: 'tenant', id: trail } };
  expect(told('getTenant', undefined, own)).toEqual([]);
  expect(toldByAudit(trail, { actor: { kind: 'user' }, action: 'getTenant', ...refused }, undefined)).toEqual(
    [],
  );
});
