import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { aSlackWorkspace } from '../../../test/support/a-slack-workspace.ts';
import type { RawRequest } from '../gateway.ts';

test('a question that Slack tells of is answered where it was asked', async () => {
  const heard: { headers: IncomingHttpHeaders; body: Buffer }[] = [];
  const server = createServer(async (request, response) => {
    heard.push({ headers: request.headers, body: await buffer(request) });
    response.end();
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const eventsUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`;
  await using workspace = await aSlackWorkspace({ app: { eventsUrl } });
  const { gateway, channel, slack } = workspace;
  heard.length = 0;
  await slack.say('T1', { user: 'U1', text: 'Is anybody there?' });

  const [told] = heard;
  const request: RawRequest = {
    ...{ method: 'POST', urls: [eventsUrl], endpoint: 'events' },
    ...{ headers: told?.headers ?? {}, body: told?.body ?? Buffer.alloc(0) },
  };
  const verified = await gateway.verify(request, gateway.sharedApp ?? {}, Date.now());
  expect(gateway.identify(verified, { secrets: {}, own: undefined })).toEqual({
    kind: 'accounts',
    accounts: [{ kind: 'workspace', key: 'T1' }],
  });
  const [event] = gateway.parse(verified, channel).events;
  if (event?.kind !== 'message') throw new Error(`That is no message: ${event?.kind}`);
  await workspace.send(workspace.message({ conversationExternalId: event.conversationExternalId }));
  expect(workspace.read(workspace.direct)).toEqual(['An answer']);
  await server[Symbol.asyncDispose]();
});

test('an app of the tenant’s own is known by its id, the shared one by none', async () => {
  await using workspace = await aSlackWorkspace();
  const { gateway, channel } = workspace;
  expect(gateway.ownApp(channel)).toBe('');
  expect(gateway.ownApp({ ...channel, settings: { appId: 'A2' } })).toBe('A2');
});

test('fifty workspaces in one process each get their own answers', async () => {
  await using workspace = await aSlackWorkspace();
  const { slack, gateway, channel } = workspace;
  const teams = Array.from({ length: 50 }, (_, index) => `TX${index}`);
  await Promise.all(
    teams.map(async (team) => {
      slack.addWorkspace({ teamId: team });
      const { botToken } = slack.install('A1', team);
      slack.addChannel(team, { id: 'C1' });
      const own = { ...channel, id: `${channel.id}-${team}` as typeof channel.id, secrets: { botToken } };
      const message = workspace.message({ text: `For ${team}`, conversationExternalId: 'C1' });
      const progress = { signal: new AbortController().signal, keepPart: async () => {} };
      await gateway.send({ ...own, settings: { ...channel.settings, workspace: team } }, message, progress);
    }),
  );
  expect(teams.map((team) => slack.posts(team, 'C1').map(({ finalText }) => finalText))).toEqual(
    teams.map((team) => [`For ${team}`]),
  );
  expect(slack.violations).toEqual([]);
});
