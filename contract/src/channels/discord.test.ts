import { describe, expect, test } from 'vitest';
import { describeDiscordChannel, discordChannel } from './discord.ts';

const base = { slug: 'srv', platform: 'discord' } as const;
const publicKey = 'ab'.repeat(32);
const faultsOf = (given: object) =>
  discordChannel.safeParse({ ...base, ...given }).error?.issues.map(({ path }) => path.join('.')) ?? [];

describe('what a file may say', () => {
  test.each([
    [{}],
    [{ guild: '123' }],
    [{ guild: '123', applicationId: '9', publicKey, botToken: 't', key: 'ck_srv' }],
    [{ applicationId: '9', botToken: 't' }],
    [{ applicationId: '9', publicKey, socket: false }],
  ])('%j', (given) => expect(faultsOf(given)).toEqual([]));

  test.each([
    [{ guild: 123 }, ['guild']],
    [{ guild: 'general' }, ['guild']],
    [{ botToken: 't' }, ['applicationId']],
    [{ publicKey }, ['applicationId']],
    [{ applicationId: '9' }, ['applicationId']],
    [{ applicationId: '9', botToken: 't', socket: false }, ['applicationId']],
    [{ applicationId: '9', publicKey: 'hex', botToken: 't' }, ['publicKey']],
    [{ replies: 'always' }, ['replies']],
    [{ apiUrl: 'http://127.0.0.1' }, ['']],
  ])('and may not: %j', (given, faults) => expect(faultsOf(given)).toEqual(faults));
});

describe('what is claimed', () => {
  const claimsOf = (given: object) =>
    describeDiscordChannel(discordChannel.parse({ ...base, ...given })).claims;

  test('a server of the shared app', () =>
    expect(claimsOf({ guild: '1' })).toEqual([{ kind: 'guild', app: '', key: '1' }]));

  test('a server of an own app, and its socket', () =>
    expect(claimsOf({ guild: '1', applicationId: '9', botToken: 't' })).toEqual([
      { kind: 'guild', app: '9', key: '1' },
      { kind: 'socket', app: '', key: '9' },
    ]));

  test('an own app with all its servers, without a socket', () =>
    expect(claimsOf({ applicationId: '9', publicKey, socket: false })).toEqual([
      { kind: 'application', app: '9', key: '9' },
    ]));
});
