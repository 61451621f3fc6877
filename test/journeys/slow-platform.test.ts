import { expect, onTestFinished, test } from 'vitest';
import type { Uuid } from '#domain/ids.ts';
import type { Gateway } from '#gateways/gateway.ts';
import { aService } from '../support/a-service.ts';
import { eventually } from '../support/eventually.ts';

/** More than one process delivers at once, so that they could take up everything. */
const backlog = 130;

test('a platform that says nothing to one tenant holds up nobody else', async () => {
  const gate = Promise.withResolvers<void>();
  onTestFinished(() => gate.resolve());
  const sent: string[] = [];
  let hanging = 0;
  let slowChannel: string | undefined;
  const wrapGateway = (gateway: Gateway): Gateway => ({
    ...gateway,
    async send(channel, message) {
      if (channel.id === slowChannel) {
        hanging += 1;
        await gate.promise;
      }
      sent.push(message.text);
      return { externalIds: [message.messageId] };
    },
  });
  const { app } = await aService({
    tenants: [{ slug: 'slow' }, { slug: 'quick' }],
    overrides: { wrapGateway },
  });
  const placeOf = async (slug: string) => {
    const [channel] = await app.storage.scopes.inPlatform(async (unit) => {
      const [tenant] = await unit.sql<{ id: Uuid }>('SELECT id FROM directory.tenants WHERE slug = $1', [
        slug,
      ]);
      await unit.becomeTenant(tenant?.id ?? '');
      return unit.sql<{ id: Uuid; tenant_id: Uuid }>('SELECT id, tenant_id FROM swarmgate.channels');
    });
    if (!channel) throw new Error(`The tenant "${slug}" has no channel.`);
    return { tenantId: channel.tenant_id, channelId: channel.id, platform: 'webchat' as const };
  };
  const say = (at: Awaited<ReturnType<typeof placeOf>>, text: string) =>
    app.sendMessage(at, {
      key: text,
      conversationExternalId: text,
      participantExternalId: text,
      role: 'operator',
      text,
    });

  const [slow, quick] = [await placeOf('slow'), await placeOf('quick')];
  slowChannel = slow.channelId;
  for (let n = 0; n < backlog; n++) await say(slow, `slow ${n}`);
  await eventually(() => expect(hanging).toBeGreaterThan(10));
  await say(quick, 'quick');
  await eventually(() => expect(sent).toEqual(['quick']));

  // And nothing of the other's is lost over it.
  gate.resolve();
  await eventually(() => expect(sent).toHaveLength(backlog + 1), 60_000);
});
