import { InstallProvider } from '@slack/oauth';
import type { OpenChannel } from '../../gateway.ts';
import type { InstallAnswer } from '../../install-page.ts';
import { secretsOf, settingsOf } from '../channel.ts';
import * as answers from './install-answers.ts';
import { authorizeUrlOf, silentSdkLogger, slackApiUrlDefault } from './install-client.ts';
import type { SlackApp } from './install-grant.ts';
import { slackScopes } from './manifest.ts';

export type AppParts = {
  /** The shared app of the environment; `undefined`: there is none. */
  sharedApp: SlackApp | undefined;
  /** Another address of the Web API than Slack's. */
  apiUrl: string | undefined;
};

/** `account`: how claims name the app. */
export type ChosenApp = { app: SlackApp; account: string; apiUrl: string | undefined };

/** The app that the address stands for; `undefined` when it is not this channel's address. */
export function chooseApp(
  parts: AppParts,
  channel: OpenChannel,
  channelKey: string | undefined,
): ChosenApp | { refusal: InstallAnswer } | undefined {
  const { appId, clientId, apiUrl = parts.apiUrl } = settingsOf(channel);
  const { clientSecret, botToken } = secretsOf(channel);
  const isHere = appId === undefined ? channelKey === undefined : channelKey === channel.key;
  if (channel.platform !== 'slack' || !isHere) return undefined;
  if (channel.tenantStatus !== 'active') return { refusal: answers.tenantClosed() };
  // It would go on being used, whatever is installed.
  if (botToken !== undefined) return { refusal: answers.hasToken() };
  if (appId === undefined)
    return parts.sharedApp ? { app: parts.sharedApp, account: '', apiUrl } : { refusal: answers.noApp() };
  if (clientId === undefined || clientSecret === undefined) return { refusal: answers.noApp() };
  return { app: { appId, clientId, clientSecret }, account: appId, apiUrl };
}

/** Where the browser goes to allow the app: Slack's page, with the scopes that the gateway needs. */
export function authorizeUrl(
  { app, apiUrl }: ChosenApp,
  state: string,
  redirectUri: string,
): Promise<string> {
  const provider = new InstallProvider({
    clientId: app.clientId,
    clientSecret: app.clientSecret,
    authorizationUrl: authorizeUrlOf(apiUrl),
    clientOptions: { slackApiUrl: apiUrl ?? slackApiUrlDefault },
    logger: silentSdkLogger,
    // Its own states would know neither tenant nor channel, and be good for as many uses as one likes.
    stateStore: { generateStateParam: refuseState, verifyStateParam: refuseState },
  });
  return provider.generateInstallUrl({ scopes: [...slackScopes], redirectUri }, true, state);
}

function refuseState(): Promise<never> {
  return Promise.reject(new TypeError('The state of an installation is made and checked here.'));
}
