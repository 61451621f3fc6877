import { randomBytes } from 'node:crypto';
import type { Judge } from './judge.ts';
import type { App, World } from './world.ts';

export type Granted = { appId: string; expiresAtMs: number };

export type TokenEndpoint = ReturnType<typeof createTokenEndpoint>;

/** Gives tokens to bots that prove who they are, at the authority that is theirs. */
export function createTokenEndpoint(
  { world, judge, now, scope }: { world: World; judge: Judge; now: () => number; scope: string },
  lifetimeSeconds: () => number,
) {
  const granted = new Map<string, Granted>();
  let failures = 0;

  return {
    /** How many tokens each bot was given. */
    count: (appId: string) => [...granted.values()].filter((token) => token.appId === appId).length,
    find: (token: string): Granted | undefined => granted.get(token),
    revoke(appId: string): void {
      for (const [token, { appId: of }] of granted) if (of === appId) granted.delete(token);
    },
    /** The next requests are answered with 503. */
    failNext(times: number): void {
      failures = times;
    },

    answer(authority: string, form: URLSearchParams): { status: number; body: object } {
      if (failures > 0) {
        failures -= 1;
        return { status: 503, body: { error: 'temporarily_unavailable' } };
      }
      const app = world.apps.get(form.get('client_id') ?? '');
      const fault = faultOf(app, authority, form, scope);
      if (fault || !app) {
        judge.accuse('a token was asked for that nobody gets', { authority, fault });
        return fault ?? unauthorized(700016);
      }
      const token = randomBytes(24).toString('base64url');
      granted.set(token, { appId: app.appId, expiresAtMs: now() + lifetimeSeconds() * 1_000 });
      return {
        status: 200,
        body: { token_type: 'Bearer', expires_in: lifetimeSeconds(), access_token: token },
      };
    },
  };
}

function faultOf(app: App | undefined, authority: string, form: URLSearchParams, scope: string) {
  if (form.get('grant_type') !== 'client_credentials') return refuse(400, 'unsupported_grant_type', 70003);
  if (form.get('scope') !== scope) return refuse(400, 'invalid_scope', 70011);
  if (!app) return unauthorized(700016);
  // A single-tenant bot is known in its own tenant only, and `common` is nobody's.
  if (authority !== (app.homeTenant ?? 'botframework.com')) return refuse(400, 'unauthorized_client', 700016);
  if (form.get('client_secret') !== app.password) return unauthorized(7000215);
  return undefined;
}

function unauthorized(code: number) {
  return refuse(401, 'invalid_client', code);
}

function refuse(status: number, error: string, code: number) {
  return { status, body: { error, error_codes: [code], error_description: `AADSTS${code}` } };
}
