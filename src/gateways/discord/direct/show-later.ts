import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from '#kernel/logger.ts';
import type { DiscordApp } from '../channel.ts';
import { type Fields, idOf, tokenOf } from '../inbound/payload.ts';
import type { DiscordApi } from '../outbound/api.ts';
import { codeOf, codes } from '../outbound/api-failures.ts';
import type { Menu } from './menu.ts';

const callMs = 5_000;
/** Discord may still be at the answer that this one takes the place of. */
const notYetThere: ReadonlySet<string> = new Set([codes.unknownWebhook, codes.unknownMessage]);
const triesMax = 4;
const againMs = 500;

/** Puts a menu where an interaction shows "… is thinking". What goes wrong is only logged: the person asks again. */
export function createShowLater({ api, logger }: { api: DiscordApi; logger?: Logger | undefined }) {
  return async (app: DiscordApp, fields: Fields, { content, components }: Menu): Promise<void> => {
    const [application, token] = [idOf(fields['application_id']), tokenOf(fields['token'])];
    if (application === undefined || token === undefined) return;
    const route = `/webhooks/${application}/${token}/messages/@original` as const;
    const body = { content, components, allowed_mentions: { parse: [] } };
    const call = { method: 'PATCH', route, body, byInteraction: true } as const;
    try {
      for (let triesLeft = triesMax; ; triesLeft -= 1) {
        const error = await api.call(app, call, AbortSignal.timeout(callMs)).then(
          () => undefined,
          (reason: unknown) => reason,
        );
        if (error === undefined) return;
        if (triesLeft <= 1 || !notYetThere.has(codeOf(error) ?? '')) throw error;
        await pause(againMs);
      }
    } catch (error) {
      logger?.warn({ err: error }, 'a menu of servers could not be shown');
    }
  };
}
