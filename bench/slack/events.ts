import { createHmac } from 'node:crypto';

export const signingSecret = 'the-signing-secret-of-the-benchmark';
export const appId = 'A0';
export const botUserId = 'UBOT';

export const teamOf = (workspace: number): string => `T${workspace}`;
export const botTokenOf = (workspace: number): string => `xoxb-${workspace}-benchmark`;

/** A question, as long as people's are. */
const text = 'could you tell me when the order that I placed last week is going to arrive?';

/**
 * An `app_mention` in a channel that has not been spoken in before, so that each message begins a thread, as most
 * mentions do, and no platform's limit of one post a second in a channel is met.
 */
export function mentionBody(number: number, workspace: number): string {
  const ts = `${1_700_000_000 + Math.floor(number / 1e6)}.${String(number % 1e6).padStart(6, '0')}`;
  return JSON.stringify({
    token: 'unused',
    team_id: teamOf(workspace),
    api_app_id: appId,
    event: {
      type: 'app_mention',
      user: `U${number % 50}`,
      text: `<@${botUserId}> bench-${number} ${text}`,
      ts,
      channel: `C${number}`,
      event_ts: ts,
    },
    type: 'event_callback',
    event_id: `Ev${number}`,
    event_time: 1_700_000_000,
    authorizations: [
      {
        enterprise_id: null,
        team_id: teamOf(workspace),
        user_id: botUserId,
        is_bot: true,
        is_enterprise_install: false,
      },
    ],
  });
}

/** @see https://docs.slack.dev/authentication/verifying-requests-from-slack/ */
export function signedHeaders(body: string): Record<string, string> {
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const signature = createHmac('sha256', signingSecret).update(`v0:${timestamp}:${body}`).digest('hex');
  return {
    'content-type': 'application/json',
    'x-slack-request-timestamp': timestamp,
    'x-slack-signature': `v0=${signature}`,
  };
}
