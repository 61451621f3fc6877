import { expect, onTestFinished, test } from 'vitest';
import type { Gateway } from '#gateways/gateway.ts';
import type { HotPathFunction, Scopes } from '#tenancy/scopes.ts';
import { aService } from '../support/a-service.ts';
import { aSlackService } from '../support/a-slack-service.ts';
import { eventually } from '../support/eventually.ts';
import { placeOf } from '../support/place-of.ts';

/** What a process has at work of one channel, and what waits for that. */
const placesMax = 16;
const waitingMax = 8;

test('what is sent into a channel, much of it at once, goes out as its platform takes it', async () => {
  const messages = 150;
  const { overrides, open, sent, atWorkMost } = aPlatformThatWaits();
  const service = await aService({ overrides });
  const at = await placeOf(service, 'site');

  for (let n = 0; n < messages; n++)
    await service.app.sendMessage(at, {
      ...{ key: `${n}`, conversationExternalId: `${n}`, participantExternalId: `${n}` },
      ...{ role: 'operator', text: `${n}` },
    });
  const putOff = () => service.logLines.filter(({ msg }) => msg === 'a delivery was put off');
  await eventually(() => expect(putOff().length).toBeGreaterThanOrEqual(messages - placesMax - waitingMax));
  expect(sent).toEqual([]);
  open();

  await eventually(() => expect(sent).toHaveLength(messages));
  expect(new Set(sent).size).toBe(messages);
  expect(atWorkMost()).toBe(placesMax);
});

test('what agents answer in one workspace, much of it at once, goes out as its platform takes it', async () => {
  const messages = 60;
  const { overrides, open, sent, atWorkMost } = aPlatformThatWaits();
  const { slack, botUserId, logLines } = await aSlackService({ overrides });

  await Promise.all(
    Array.from({ length: messages }, (_, n) =>
      slack.say('T1', { user: 'U1', channel: `C${n}`, text: `<@${botUserId}> ${n}` }),
    ),
  );
  const answered = () => logLines.filter(({ msg }) => msg === 'answered');
  await eventually(() => expect(answered()).toHaveLength(messages));
  expect(sent).toEqual([]);
  open();

  await eventually(() => expect(sent).toHaveLength(messages));
  expect(new Set(sent).size).toBe(messages);
  expect(atWorkMost()).toBe(placesMax);
});

/** Takes nothing until it is opened. Nobody sweeps: what finds no place comes back by itself, or never. */
function aPlatformThatWaits() {
  const gate = Promise.withResolvers<void>();
  onTestFinished(() => gate.resolve());
  const sent: string[] = [];
  let atWork = 0;
  let most = 0;
  const wrapGateway = (gateway: Gateway): Gateway => ({
    ...gateway,
    async send(_channel, message) {
      atWork += 1;
      most = Math.max(most, atWork);
      await gate.promise;
      atWork -= 1;
      sent.push(message.text);
      return { externalIds: [message.messageId] };
    },
  });
  const wrapScopes = (scopes: Scopes): Scopes => ({
    ...scopes,
    call: <Row extends object>(name: HotPathFunction, parameters: readonly unknown[]) =>
      name === 'swarmgate.due_work_v2' ? Promise.resolve([]) : scopes.call<Row>(name, parameters),
  });
  return { overrides: { wrapGateway, wrapScopes }, open: gate.resolve, sent, atWorkMost: () => most };
}
