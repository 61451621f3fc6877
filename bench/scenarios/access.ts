import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createApiClient } from '@swarmgate/contract/rest/client.ts';
import { Pool } from 'undici';
import { median } from '../figures.ts';
import { startProcess } from '../processes.ts';
import type { Credentials } from '../subjects/api-service.ts';
import { install } from '../subjects/swarmgate.ts';
import type { Scenario } from './scenario.ts';

const rounds = 7;
const requests = 500;
const atOnce = 8;
/** No round of this scenario may use up what one caller may ask in a minute. */
const callsOfOneMax = 550;

/** `GET /tenants/{tenantId}` of callers whose credentials are looked at, and of the same whose are not, in turn. */
export const access: Scenario = {
  about:
    'what it costs to find out who calls: a tenant is looked at with an API key, and with an access token',
  async run({ servers, scale }) {
    const installation = await install(servers, { tenants: 1, apiUrl: 'http://127.0.0.1:9' });
    const file = join(installation.env['DATA_DIR'] ?? '', 'credentials.json');
    const service = await startProcess('bench/subjects/api-service.ts', [], {
      ...installation.env,
      ...{ ROLES: 'api', BENCH_CREDENTIALS: file },
    });
    try {
      const credentials = JSON.parse(readFileSync(file, 'utf8')) as Credentials;
      const measured = { url: service.url, tenantId: credentials.tenantId, requests: requests * scale };
      const withKeys = await measure({ ...measured, bearers: credentials.keys });
      const withTokens = await measure({ ...measured, bearers: await tokensOf(service.url, credentials) });
      return [figureOf('with an API key', withKeys), figureOf('with an access token', withTokens)];
    } finally {
      await service.stop();
      installation.remove();
    }
  },
};

type Measured = { askedMs: number; knownMs: number };

function figureOf(what: string, { askedMs, knownMs }: Measured) {
  return {
    ...{ what: `a request, ${what}`, value: askedMs, unit: 'ms' as const },
    beside: { what: 'nobody asks who calls', value: knownMs },
    bar: { atMost: 1.3 },
  };
}

async function tokensOf(url: string, { tenantId, people }: Credentials): Promise<string[]> {
  const tokens = [];
  for (const person of people) {
    let cookie = '';
    const client = createApiClient({
      baseUrl: url,
      async fetch(address, init) {
        const headers = new Headers(init?.headers);
        if (cookie) headers.set('cookie', cookie);
        const response = await fetch(address, { ...init, headers });
        cookie = response.headers.get('set-cookie')?.split(';')[0] ?? cookie;
        return response;
      },
    });
    await client.signIn({ body: person });
    const { body } = await client.issueTokens({ body: { tenantId } });
    tokens.push(body.accessToken);
  }
  return tokens;
}

type Load = { url: string; tenantId: string; requests: number; bearers: readonly string[] };

/** The middle of some rounds of each, in turn, so that what disturbs the machine disturbs both. */
async function measure(load: Load): Promise<Measured> {
  const calls = 2 * (rounds + 1) * load.requests;
  if (calls / load.bearers.length > callsOfOneMax)
    throw new Error(`${load.bearers.length} callers are too few for ${calls} calls a minute.`);
  const pool = new Pool(load.url, { connections: atOnce });
  try {
    await playRound(pool, load, false);
    await playRound(pool, load, true);
    const asked = [];
    const known = [];
    for (let n = 0; n < rounds; n += 1) {
      asked.push(await playRound(pool, load, false));
      known.push(await playRound(pool, load, true));
    }
    return { askedMs: median(asked), knownMs: median(known) };
  } finally {
    await pool.close();
  }
}

/** Milliseconds a request. */
async function playRound(
  pool: Pool,
  { tenantId, requests, bearers }: Load,
  isKnown: boolean,
): Promise<number> {
  const beganAt = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (next < requests) {
        const bearer = bearers[next++ % bearers.length];
        const answer = await pool.request({
          ...{ method: 'GET', path: `/api/v1/tenants/${tenantId}` },
          headers: { authorization: `Bearer ${bearer}`, ...(isKnown && { 'x-bench-known': '1' }) },
        });
        const text = await answer.body.text();
        if (answer.statusCode !== 200)
          throw new Error(`A call was answered with ${answer.statusCode}: ${text}`);
      }
    }),
  );
  return (performance.now() - beganAt) / requests;
}
