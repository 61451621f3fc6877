import type { Config } from './config.ts';

/** The ids of the environment's apps that no tenant may give as an app of its own. */
export function sharedAppsOf({ platforms }: Pick<Config, 'platforms'>) {
  return { discord: platforms.discord.app?.applicationId };
}
