import { describe, expect, test } from 'vitest';
import { describeSlackChannel, slackChannel } from './slack.ts';

const channel = (more: object) => slackChannel.safeParse({ slug: 'hq', platform: 'slack', ...more });
const complaints = (more: object) =>
  channel(more).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);

describe('a channel of the shared app', () => {
  test('may wait for whichever workspace installs it', () => {
    expect(channel({}).success).toBe(true);
  });

  test('claims the workspace that it names', () => {
    const { data } = channel({ workspace: 'T1', botToken: 'xoxb-1' });
    expect(data && describeSlackChannel(data).claims).toEqual([{ kind: 'workspace', app: '', key: 'T1' }]);
  });

  test('says which workspace its token is for', () => {
    expect(complaints({ botToken: 'xoxb-1' })).toMatchObject([
      expect.stringMatching(/^workspace: a bot token/),
    ]);
  });
});

describe('an app of its own', () => {
  test('claims its workspace, and its socket where it has one', () => {
    const own = { appId: 'A1', workspace: 'T1', botToken: 'xoxb-1', appToken: 'xapp-1' };
    const { data } = channel(own);
    expect(data && describeSlackChannel(data).claims).toEqual([
      { kind: 'workspace', app: 'A1', key: 'T1' },
      { kind: 'socket', app: '', key: 'A1' },
    ]);
  });

  test.each([
    [{ signingSecret: 's' }, 'appId: '],
    [{ appToken: 'xapp-1' }, 'appId: '],
    [{ appId: 'A1' }, 'appId: '],
    [{ appId: 'A1', signingSecret: 's', clientId: '1.1' }, 'clientId: '],
    [{ workspace: 'T1', enterprise: 'E1' }, 'enterprise: '],
    [{ workspace: 'X1' }, 'workspace: '],
    [{ workspace: 'T1', botToken: 'xoxp-1' }, 'botToken: '],
  ])('of which half is missing or wrong says so: %j', (given, complaint) => {
    expect(complaints(given)?.[0]).toContain(complaint);
  });
});

test('no secret stands among what is stored in the open', () => {
  const secrets = {
    botToken: 'xoxb-hidden',
    signingSecret: 'hidden',
    clientSecret: 'hidden',
    appToken: 'xapp-hidden',
  };
  const { data } = channel({ appId: 'A1', workspace: 'T1', clientId: '1.1', ...secrets });
  const described = data && describeSlackChannel(data);
  expect(described?.secrets).toEqual(secrets);
  expect(JSON.stringify(described?.settings)).not.toContain('hidden');
});
