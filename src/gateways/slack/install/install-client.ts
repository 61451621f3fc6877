import { type Logger, LogLevel, WebClient } from '@slack/web-api';

const timeoutMs = 10_000;
export const slackApiUrlDefault = 'https://slack.com/api/';

export const silentSdkLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  setLevel: () => {},
  getLevel: () => LogLevel.ERROR,
  setName: () => {},
};

/**
 * A client for calls that an app makes as itself, without a token. It tries nothing again: codes and refresh tokens
 * serve once. It writes no log of its own, which would hold bodies.
 */
export function createAppClient(apiUrl: string | undefined): WebClient {
  return new WebClient(undefined, {
    slackApiUrl: apiUrl ?? slackApiUrlDefault,
    allowAbsoluteUrls: false,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    timeout: timeoutMs,
    logger: silentSdkLogger,
  });
}

/** The page where people allow the app: beside the Web API, also of a government cloud or a stand-in. */
export function authorizeUrlOf(apiUrl: string | undefined): string {
  const base = apiUrl ?? slackApiUrlDefault;
  return new URL('../oauth/v2/authorize', base.endsWith('/') ? base : `${base}/`).href;
}
