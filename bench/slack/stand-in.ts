import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * As much of Slack's Web API as an echo needs, and no more: it shares the machine with what is measured. The strict
 * simulator of src/simulators/slack judges correctness; this one only takes posts and says when they came.
 */
export type SlackStandIn = {
  apiUrl: string;
  close(): Promise<void>;
};

/** `onPost` hears the number that a post carries, as `bench-<number>`. */
export async function startSlackStandIn(onPost: (number: number) => void): Promise<SlackStandIn> {
  let posted = 0;
  const server = createServer(async (request, response) => {
    const body = await read(request);
    const method = request.url?.slice('/api/'.length) ?? '';
    response.setHeader('content-type', 'application/json');
    if (method === 'chat.postMessage') {
      posted += 1;
      const number = /bench-(\d+)/.exec(body)?.[1];
      if (number !== undefined) onPost(Number(number));
      const channel = /\bchannel(?:=|":")([A-Z0-9]+)/.exec(body)?.[1] ?? 'C0';
      const ts = `1700000001.${String(posted).padStart(6, '0')}`;
      response.end(JSON.stringify({ ok: true, channel, ts, message: { type: 'message', ts } }));
    } else response.end(answers[method] ?? '{"ok":true}');
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    apiUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/`,
    async close() {
      server.closeAllConnections();
      await server[Symbol.asyncDispose]();
    },
  };
}

const answers: Readonly<Record<string, string>> = {
  'auth.test': JSON.stringify({ ok: true, user_id: 'UBOT', bot_id: 'BBOT', team_id: 'T0', user: 'bot' }),
  'users.info': JSON.stringify({
    ok: true,
    user: { id: 'U1', name: 'ada', real_name: 'Ada', profile: { display_name: 'ada', real_name: 'Ada' } },
  }),
  'conversations.info': JSON.stringify({ ok: true, channel: { id: 'C0', name: 'general' } }),
};

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
