import type { SessionRequest, SessionResponse } from '@swarmgate/contract/web-chat.ts';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { BrowserStorage } from '../browser-storage.ts';
import { fakeLocalStorage } from '../fake-local-storage.ts';
import { Gateway } from './gateway.ts';
import { GatewayError } from './gateway-error.ts';
import { Session } from './session.ts';

beforeEach(() => vi.stubGlobal('localStorage', fakeLocalStorage()));
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

test('calls at the same time begin one session', async () => {
  const { session, requests } = aSession();
  expect(await Promise.all([1, 2, 3].map(() => session.authorized(async (token) => token)))).toEqual([
    'token 1',
    'token 1',
    'token 1',
  ]);
  expect(requests).toHaveLength(1);
});

test('calls that find their token expired renew it once, and are made again', async () => {
  const { session, requests } = aSession();
  await session.start();
  const call = async (token: string) => {
    if (token === 'token 1') throw new GatewayError(401, 'expired');
    return token;
  };
  expect(await Promise.all([session.authorized(call), session.authorized(call)])).toEqual([
    'token 2',
    'token 2',
  ]);
  expect(requests).toHaveLength(2);
  expect(requests[1]?.visitorToken).toBe('visitor 1');
});

test('a token that is refused even when it is new is a refusal, not a loop', async () => {
  const { session, requests } = aSession();
  const refused = session.authorized(() => Promise.reject(new GatewayError(401, 'no')));
  await expect(refused).rejects.toThrow('no');
  expect(requests).toHaveLength(2);
});

test('a kept visitor token that the gateway does not know is given up', async () => {
  const { session, requests, refuseNext } = aSession();
  new BrowserStorage('t:', 'localStorage').set('visitor', 'of yesterday');
  refuseNext(new GatewayError(401, 'unknown'));
  await session.start();
  expect(requests.map(({ visitorToken }) => visitorToken)).toEqual(['of yesterday', undefined]);
  expect(new BrowserStorage('t:', 'localStorage').get('visitor')).toBe('visitor 1');
});

test('a refused identity changes nothing', async () => {
  const { session, requests, refuseNext } = aSession();
  await session.start();
  refuseNext(new GatewayError(403, 'forged'));
  await expect(session.identify('forged')).rejects.toThrow('forged');
  await session.start();
  expect(requests.at(-1)).toEqual({ key: 'wk_t', profile: { locale: 'en' }, visitorToken: 'visitor 1' });
});

function aSession() {
  const requests: SessionRequest[] = [];
  const refusals: Error[] = [];
  const gateway = new Gateway('https://gateway.example/', (call) => call(''));
  let count = 0;
  vi.spyOn(gateway, 'startSession').mockImplementation(async (request): Promise<SessionResponse> => {
    requests.push(request);
    const refusal = refusals.shift();
    if (refusal) throw refusal;
    count += 1;
    return {
      token: `token ${count}`,
      visitorToken: `visitor ${count}`,
      expiresAt: '',
      conversationId: 'cnv_1',
      agent: { name: 'A' },
    };
  });
  const session = new Session(
    {
      gateway,
      storage: new BrowserStorage('t:', 'localStorage'),
      key: 'wk_t',
      locale: 'en',
      onSession: () => undefined,
    },
    undefined,
  );
  return { session, requests, refuseNext: (error: Error) => refusals.push(error) };
}
