import type { GatewayError } from '../../gateway-error.ts';
import type { DiscordApp } from '../channel.ts';
import { credentialKey } from '../credential-key.ts';
import type { DiscordCall } from './api-call.ts';
import { codes } from './api-failures.ts';

/**
 * What Discord has just refused for want of a permission, it refuses again, and counts each time. So for some minutes the
 * same kind of call in the same channel or server fails here at once, with the same error.
 */
export interface KnownRefusals {
  find(app: DiscordApp, call: DiscordCall): GatewayError | undefined;
  note(app: DiscordApp, call: DiscordCall, error: GatewayError): void;
}

/** Until somebody has given the bot a permission, and a little longer. */
const knownMs = 5 * 60_000;
const knownMax = 20_000;
const remembered: ReadonlySet<string> = new Set([
  ...[codes.missingAccess, codes.missingPermissions, codes.cannotDirect],
]);

export function createKnownRefusals(nowMs: () => number): KnownRefusals {
  const known = new Map<string, { error: GatewayError; untilMs: number }>();

  const fresh = (key: string) => {
    const found = known.get(key);
    if (found && found.untilMs > nowMs()) return found.error;
    known.delete(key);
    return undefined;
  };

  return {
    find(app, call) {
      const keys = keysOf(app, call);
      return keys && (fresh(keys.whole) ?? fresh(keys.kind));
    },
    note(app, call, error) {
      const keys = keysOf(app, call);
      if (!keys || !remembered.has(error.platformCode ?? '')) return;
      // Who may not look into a channel may do nothing there.
      const key = error.platformCode === codes.missingAccess ? keys.whole : keys.kind;
      known.delete(key);
      known.set(key, { error, untilMs: nowMs() + knownMs });
      const [oldest] = known.keys();
      if (known.size > knownMax && oldest !== undefined) known.delete(oldest);
    },
  };
}

/** A channel or server, and a kind of call there: `POST /messages/:id/threads`. */
function keysOf(
  app: DiscordApp,
  { method, route, byInteraction }: DiscordCall,
): { whole: string; kind: string } | undefined {
  const [, place, rest = ''] = /^(\/(?:channels|guilds)\/\d+)(.*)$/.exec(route) ?? [];
  if (byInteraction || place === undefined) return undefined;
  const whole = `${credentialKey(app)}${place}`;
  return { whole, kind: `${whole} ${method} ${rest.replaceAll(/\d+/g, ':id')}` };
}
