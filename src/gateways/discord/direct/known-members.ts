import type { DiscordApp } from '../channel.ts';
import { credentialKey } from '../credential-key.ts';

/** Somebody who has just joined is found soon; who was there is taken to be so for a while, to be offered a server. */
const thereMs = 10 * 60_000;
const notThereMs = 60_000;
const knownMax = 100_000;

/** What Discord has said about who is in which server, for a while. */
export function createKnownMembers(nowMs: () => number) {
  const known = new Map<string, { isThere: boolean; untilMs: number }>();
  const keyOf = (app: DiscordApp, guild: string, user: string) => `${credentialKey(app)}/${guild}/${user}`;

  return {
    /** `undefined`: it has to be asked. */
    find(app: DiscordApp, guild: string, user: string): boolean | undefined {
      const found = known.get(keyOf(app, guild, user));
      return found && found.untilMs > nowMs() ? found.isThere : undefined;
    },
    note(app: DiscordApp, guild: string, user: string, isThere: boolean): boolean {
      const key = keyOf(app, guild, user);
      known.delete(key);
      known.set(key, { isThere, untilMs: nowMs() + (isThere ? thereMs : notThereMs) });
      const [oldest] = known.keys();
      if (known.size > knownMax && oldest !== undefined) known.delete(oldest);
      return isThere;
    },
  };
}
