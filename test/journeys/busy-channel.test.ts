import { expect, onTestFinished, test } from 'vitest';
import type { Gateway } from '#gateways/gateway.ts';
import type { HotPathFunction, Scopes } from '#tenancy/scopes.ts';
import { aService } from '../support/a-service.ts';
import { eventually } from '../support/eventually.ts';
import { placeOf } from '../support/place-of.ts';

const messages = 150;
/** What a process has at work of one channel, and what waits for that. */
const placesMax = 16;
const waitingMax = 8;

test('a channel with much to say at once goes on as its platform takes it, in the places that it has', async () => {
  const gate = Promise.withResolvers<void>();
  onTestFinished(() => gate.resolve());
  let atWork = 0;
  let atWorkMost = 0;
  const sent: string[] = [];
  const wrapGateway = (gateway: Gateway): Gateway => ({
    ...gateway,
    async send(_channel, message) {
      atWork += 1;
      atWorkMost = Math.max(atWorkMost, atWork);
      await gate.promise;
      atWork -= 1;
      sent.push(message.text);
      return { externalIds: [message.messageId] };
    },
  });
  // Nobody sweeps: what was put off comes back by itself, or never.
  const wrapScopes = (scopes: Scopes): Scopes => ({
    ...scopes,
    call: <Row extends object>(name: HotPathFunction, parameters: readonly unknown[]) =>
      name === 'swarmgate.due_work_v2' ? Promise.resolve([]) : scopes.call<Row>(name, parameters),
  });
  const service = await aService({ overrides: { wrapGateway, wrapScopes } });
  const at = await placeOf(service, 'site');

  for (let n = 0; n < messages; n++)
    await service.app.sendMessage(at, {
      ...{ key: `${n}`, conversationExternalId: `${n}`, participantExternalId: `${n}` },
      ...{ role: 'operator', text: `${n}` },
    });

  const putOff = () => service.logLines.filter(({ msg }) => msg === 'a delivery was put off');
  await eventually(() => expect(putOff().length).toBeGreaterThanOrEqual(messages - placesMax - waitingMax));
  expect(sent).toEqual([]);
  gate.resolve();

  await eventually(() => expect(sent).toHaveLength(messages));
  expect(new Set(sent).size).toBe(messages);
  expect(atWorkMost).toBe(placesMax);
});
