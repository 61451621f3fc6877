import { describe, expect, test } from 'vitest';
import { describeTeamsChannel, teamsChannel } from './teams.ts';

const aadTenant = 'a1b2c3d4-e5f6-7890-abcd-ef1234567890';
const appId = '11111111-2222-3333-4444-555555555555';
const base = { slug: 'm365', platform: 'teams', aadTenant };
const complaints = (given: object) =>
  teamsChannel
    .safeParse({ ...base, ...given })
    .error?.issues.map(({ path, message }) => `${path}: ${message}`);

describe('a Teams channel', () => {
  test('of the shared bot claims its Entra tenant', () => {
    expect(describeTeamsChannel(teamsChannel.parse(base))).toEqual({
      settings: { aadTenant, replies: 'thread', streaming: true, requestsPerSecond: 30 },
      secrets: { appPassword: undefined },
      claims: [{ kind: 'aad_tenant', app: '', key: aadTenant }],
    });
  });

  test('with a bot of its own claims it for that bot, which is single-tenant unless it says otherwise', () => {
    const own = { appId: appId.toUpperCase(), appPassword: 'p' };
    const single = describeTeamsChannel(teamsChannel.parse({ ...base, ...own }));
    expect(single).toMatchObject({
      settings: { appId, appTenant: aadTenant },
      secrets: { appPassword: 'p' },
      claims: [{ kind: 'aad_tenant', app: appId, key: aadTenant }],
    });
    const multi = teamsChannel.parse({ ...base, ...own, appTenant: 'multi-tenant' });
    expect(describeTeamsChannel(multi).settings).not.toHaveProperty('appTenant');
  });

  test.each([
    [{ aadTenant: 'common' }, 'aadTenant: a GUID'],
    [{ aadTenant: 'contoso.onmicrosoft.com' }, 'aadTenant: a GUID'],
    [{ appId }, 'appId: appId and appPassword go together'],
    [{ appPassword: 'p' }, 'appId: appId and appPassword go together'],
    [{ appId, appPassword: 'p', appTenant: 'common' }, 'appTenant: the GUID'],
    [{ appTenant: 'multi-tenant' }, 'appTenant: a bot of its own needs appId'],
    [{ replies: 'always' }, 'replies: '],
  ])('%j says what is wrong', (given, says) => {
    expect(complaints(given)?.some((complaint) => complaint.startsWith(says))).toBe(true);
  });
});
