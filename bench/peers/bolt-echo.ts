/**
 * The least that Slack's own framework needs to answer: @slack/bolt with the tokens of all workspaces in memory. It
 * stores nothing; what is under way when it ends is lost.
 */
import bolt from '@slack/bolt';
import { botUserId, signingSecret } from '../slack/events.ts';
import { peerPlan, tellReady } from './peer.ts';

const { apiUrl, installations } = peerPlan();
const tokens = new Map(installations.map(({ teamId, botToken }) => [teamId, botToken]));
const receiver = new bolt.HTTPReceiver({ signingSecret, logLevel: bolt.LogLevel.ERROR });
const app = new bolt.App({
  receiver,
  logLevel: bolt.LogLevel.ERROR,
  clientOptions: { slackApiUrl: apiUrl },
  authorize: async ({ teamId }) => ({ botToken: tokens.get(teamId ?? '') ?? '', botId: 'BBOT', botUserId }),
});
app.event('app_mention', async ({ event, say }) => {
  await say({ text: `You said: ${event.text}`, thread_ts: event.ts });
});
const server = await app.start(0);
tellReady(server.address());
