import { createHmac, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { newId } from '#domain/ids.ts';
import { createKeyRing } from '#kernel/key-ring.ts';
import { createInstallLinks } from '../../install-links.ts';
import { writeInstallLink } from './write-link.ts';

const oldKey = { id: 'old', bytes: randomBytes(32) };
const newKey = { id: 'new', bytes: randomBytes(32) };
const keyRing = createKeyRing([newKey, oldKey]);
const target = { tenantId: newId(), channelId: newId() };
const day = 24 * 60 * 60_000;

function linksAt(nowMs: number, ring = keyRing) {
  return createInstallLinks(ring, 'slack', () => nowMs);
}

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function forge(header: object, claims: object, key = keyRing.derive('slack-install', 'new')): string {
  const signed = `${base64url({ alg: 'HS256', typ: 'swarmgate-slack-install+jwt', kid: 'new', ...header })}.${base64url(
    {
      iss: 'swarmgate',
      tid: target.tenantId,
      chn: target.channelId,
      exp: Math.floor(Date.now() / 1_000) + 60,
      ...claims,
    },
  )}`;
  return `${signed}.${createHmac('sha256', key ?? '')
    .update(signed)
    .digest('base64url')}`;
}

describe('a link to install', () => {
  test('names its channel for seven days, and then has expired', async () => {
    const begun = Date.now();
    const { token, expiresAt } = await linksAt(begun).make(target);
    expect(expiresAt.getTime()).toBe(begun + 7 * day);
    expect(await linksAt(begun + 7 * day - 2_000).check(token)).toEqual({ ok: true, ...target });
    expect(await linksAt(begun + 7 * day + 2_000).check(token)).toEqual({ ok: false, reason: 'expired' });
  });

  test('holds for as long as one likes', async () => {
    const { token } = await linksAt(Date.now()).make(target, 60_000);
    expect(await linksAt(Date.now() + 50_000).check(token)).toMatchObject({ ok: true });
    expect(await linksAt(Date.now() + 70_000).check(token)).toMatchObject({ reason: 'expired' });
  });

  test('of an older key of the ring holds, and of a key that has left it does not', async () => {
    const { token } = await createInstallLinks(createKeyRing([oldKey]), 'slack').make(target);
    expect(await createInstallLinks(keyRing, 'slack').check(token)).toMatchObject({ ok: true });
    expect(await createInstallLinks(createKeyRing([newKey]), 'slack').check(token)).toEqual({
      ok: false,
      reason: 'invalid',
    });
  });

  test('although the forger’s tool works: one with nothing changed holds', async () => {
    expect(await createInstallLinks(keyRing, 'slack').check(forge({}, {}))).toEqual({ ok: true, ...target });
  });

  test.each<[string, () => string]>([
    ['nothing', () => ''],
    ['an unsigned one', () => `${forge({ alg: 'none' }, {}).split('.').slice(0, 2).join('.')}.`],
    ['one of another kind', () => forge({ typ: 'swarmgate-session+jwt' }, {})],
    ['the key of another purpose', () => forge({}, {}, keyRing.derive('slack-install-state', 'new'))],
    ['an unknown key', () => forge({ kid: 'none' }, {})],
    ['no end', () => forge({}, { exp: undefined })],
    ['no channel', () => forge({}, { chn: undefined })],
    ['a tenant that is no UUID', () => forge({}, { tid: `${target.tenantId}'` })],
    ['one signed by somebody else', () => forge({}, {}, randomBytes(32))],
  ])('is not one: %s', async (_, make) => {
    expect(await createInstallLinks(keyRing, 'slack').check(make())).toEqual({
      ok: false,
      reason: 'invalid',
    });
  });

  test('is nothing any more once one character of it was changed', async () => {
    const { token } = await createInstallLinks(keyRing, 'slack').make(target);
    for (let index = 0; index < token.length; index += 5) {
      const changed = `${token.slice(0, index)}${token[index] === 'x' ? 'y' : 'x'}${token.slice(index + 1)}`;
      expect(await createInstallLinks(keyRing, 'slack').check(changed)).toEqual({
        ok: false,
        reason: 'invalid',
      });
    }
  });

  test('leads to the shared app, or to the address of an own one', () => {
    const channel = { ...target, id: target.channelId, platform: 'slack' as const, key: 'ck_a', secrets: {} };
    const shared = writeInstallLink('https://chat.example.com', { ...channel, settings: {} }, 'token');
    expect(shared).toBe('https://chat.example.com/webhooks/slack/install?link=token');
    const own = writeInstallLink(
      'https://chat.example.com',
      { ...channel, settings: { appId: 'A1' } },
      'token',
    );
    expect(own).toBe('https://chat.example.com/webhooks/slack/ck_a/install?link=token');
  });
});
