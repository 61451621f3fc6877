/**
 * The Chat SDK with its Slack adapter and its Redis state, as its documentation sets them up for many workspaces: the
 * installations are in the state, and each message is deduplicated and its thread locked there.
 */
import { createServer } from 'node:http';
import { createSlackAdapter } from '@chat-adapter/slack';
import { createRedisState } from '@chat-adapter/state-redis';
import { Chat } from 'chat';
import { botUserId, signingSecret } from '../slack/events.ts';
import { peerPlan, tellReady } from './peer.ts';

const { apiUrl, redisUrl, installations } = peerPlan();
const slack = createSlackAdapter({ signingSecret, apiUrl, botUserId });
const bot = new Chat({
  userName: 'bot',
  adapters: { slack },
  state: createRedisState({ url: redisUrl, keyPrefix: 'bench-chat-sdk' }),
  logger: 'error',
});
bot.onNewMention(async (thread, message) => {
  await thread.post(`You said: ${message.text}`);
});
await bot.initialize();
for (const { teamId, botToken } of installations)
  await slack.setInstallation(teamId, { botToken, botUserId });

const server = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const answer = await bot.webhooks.slack(
    new Request(`http://${request.headers.host}${request.url}`, {
      method: 'POST',
      headers: request.headers as Record<string, string>,
      body: Buffer.concat(chunks),
    }),
    { waitUntil: (task) => void task.catch((error: unknown) => console.error(error)) },
  );
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  response.end(await answer.text());
});
server.listen(0, '127.0.0.1', () => tellReady(server.address()));
