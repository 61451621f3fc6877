import { describe, expect, test } from 'vitest';
import { endpointsOf } from '../channel.ts';
import { createAccessTokens } from './access-tokens.ts';

const app = { appId: 'app-1', appPassword: 'hunter2' };
const endpoints = endpointsOf(undefined, {});
const never = new AbortController().signal;

/** Entra, as a test wants it. */
function anEntra(answers: readonly (() => Response | Promise<Response>)[] = []) {
  const asked: { url: string; form: URLSearchParams }[] = [];
  let nowMs = 1_000_000;
  const fetch = async (url: string | URL | Request, init?: RequestInit) => {
    asked.push({ url: String(url), form: new URLSearchParams(String(init?.body)) });
    const answer = answers[asked.length - 1];
    return answer ? answer() : Response.json({ access_token: `token-${asked.length}`, expires_in: 3_600 });
  };
  const tokens = createAccessTokens({ fetch: fetch as typeof globalThis.fetch, nowMs: () => nowMs });
  return { asked, tokens, pass: (ms: number) => (nowMs += ms) };
}

describe('a token', () => {
  test('is asked for where the bot is registered, for the Bot Framework', async () => {
    const { asked, tokens } = anEntra();
    await tokens.get(app, endpoints, never);
    await tokens.get({ ...app, appTenant: 'tenant-1' }, endpoints, never);
    const government = endpointsOf(undefined, {
      openIdMetadataUrl: 'https://login.botframework.azure.us/v1/.well-known/openidconfiguration',
    });
    await tokens.get(app, government, never);
    expect(asked.map(({ url }) => url)).toEqual([
      'https://login.microsoftonline.com/botframework.com/oauth2/v2.0/token',
      'https://login.microsoftonline.com/tenant-1/oauth2/v2.0/token',
      'https://login.microsoftonline.us/MicrosoftServices.onmicrosoft.us/oauth2/v2.0/token',
    ]);
    expect(Object.fromEntries(asked[0]?.form ?? [])).toEqual({
      ...{ grant_type: 'client_credentials', client_id: 'app-1', client_secret: 'hunter2' },
      scope: 'https://api.botframework.com/.default',
    });
    expect(asked[2]?.form.get('scope')).toBe('https://api.botframework.us/.default');
  });

  test('is shared by all who ask, and renewed five minutes before it runs out', async () => {
    const { asked, tokens, pass } = anEntra();
    const all = await Promise.all(Array.from({ length: 20 }, () => tokens.get(app, endpoints, never)));
    expect(new Set(all)).toEqual(new Set(['token-1']));
    pass(54 * 60_000);
    expect(await tokens.get(app, endpoints, never)).toBe('token-1');
    pass(2 * 60_000);
    expect(await tokens.get(app, endpoints, never)).toBe('token-2');
    expect(asked).toHaveLength(2);
  });

  test('of one bot is never another’s: not of another id, tenant, password, login or cloud', async () => {
    const { asked, tokens } = anEntra();
    const others = [
      [app, endpoints],
      [{ ...app, appId: 'app-2' }, endpoints],
      [{ ...app, appTenant: 'tenant-1' }, endpoints],
      [{ ...app, appPassword: 'hunter3' }, endpoints],
      [app, endpointsOf(undefined, { loginUrl: 'https://login.example' })],
    ] as const;
    for (const [one, at] of others) await tokens.get(one, at, never);
    for (const [one, at] of others) await tokens.get(one, at, never);
    expect(asked).toHaveLength(others.length);
  });

  test('that was refused is asked for anew; a newer one stays', async () => {
    const { tokens } = anEntra();
    const first = await tokens.get(app, endpoints, never);
    tokens.forget(app, endpoints, first);
    const second = await tokens.get(app, endpoints, never);
    expect(second).not.toBe(first);
    tokens.forget(app, endpoints, first);
    expect(await tokens.get(app, endpoints, never)).toBe(second);
  });

  test('is waited for as long as there is time; the others who wait get it', async () => {
    const gate = Promise.withResolvers<Response>();
    const { asked, tokens } = anEntra([() => gate.promise]);
    const hasty = tokens.get(app, endpoints, AbortSignal.timeout(20));
    const patient = tokens.get(app, endpoints, never);
    await expect(hasty).rejects.toMatchObject({ code: 'gateway_not_now' });
    gate.resolve(Response.json({ access_token: 'late', expires_in: '3600' }));
    expect(await patient).toBe('late');
    expect(asked).toHaveLength(1);
  });
});

describe('Entra that gives none', () => {
  const refusal = (status: number, error: string, code?: number) => () =>
    Response.json({ error, error_codes: code ? [code] : [], error_description: 'app-1 hunter2' }, { status });

  test.each([
    [refusal(401, 'invalid_client', 7_000_215), 'gateway_credentials_refused', 'AADSTS7000215'],
    [refusal(400, 'unauthorized_client', 700_016), 'gateway_credentials_refused', 'AADSTS700016'],
    [refusal(400, 'invalid_request', 90_002), 'gateway_credentials_refused', 'AADSTS90002'],
    [refusal(429, 'too_many'), 'gateway_rate_limited', 'too_many'],
    [refusal(503, 'temporarily_unavailable'), 'gateway_unavailable', 'temporarily_unavailable'],
    [() => new Response('<html>', { status: 502 }), 'gateway_unavailable', undefined],
    [() => Response.json({ access_token: '', expires_in: 1 }), 'gateway_unavailable', undefined],
    [() => Promise.reject(new TypeError('away')), 'gateway_unavailable', undefined],
  ])('says so by its codes alone (%#)', async (answer, code, platformCode) => {
    const { tokens } = anEntra([answer]);
    const error = await tokens.get(app, endpoints, never).catch((caught: Error) => caught);
    expect(error).toMatchObject({ code, platformCode });
    expect(String(error)).not.toMatch(/app-1|hunter2/);
    // A failure is not kept.
    expect(await tokens.get(app, endpoints, never)).toBe('token-2');
  });
});
