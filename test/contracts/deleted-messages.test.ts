import { expect, test } from 'vitest';
import { createReceiveChange } from '#conversations/receive-change.ts';
import type { Uuid } from '#domain/ids.ts';
import type { InboundChange } from '#gateways/gateway.ts';
import { aService } from '../support/a-service.ts';
import { inTenantOf, placeOf } from '../support/place-of.ts';

/** Messages that nobody answers, and what becomes of them when they are changed. */
async function someMessages(...texts: string[]) {
  const service = await aService({ overrides: { wrapQueue: (queue) => ({ ...queue, work: () => {} }) } });
  const visitor = await service.aVisitor();
  for (const text of texts) await visitor.send(text);
  const { scopes } = service.app.storage;
  const receiveChange = createReceiveChange({ scopes, files: service.app.files });
  const at = await placeOf(service, 'site');
  const keys = await inTenantOf(service, 'shop', (unit) =>
    unit.sql<{ key: string; message_id: Uuid }>('SELECT key, message_id FROM swarmgate.inbound_keys'),
  );
  const { messages } = await service.rows();
  const idOf = (text: string) => messages.find((message) => message.text === text)?.id;
  const change = (text: string, key: string, what: Pick<InboundChange, 'kind'> & { text?: string }) => {
    const target = keys.find(({ message_id: id }) => id === idOf(text))?.key ?? '';
    const told = {
      key,
      participantExternalId: 'somebody',
      target: { key: target, externalId: 'none' },
      ...what,
    };
    return receiveChange(at, told as InboundChange);
  };
  /** All that is kept of the transcript, as one text. */
  const everything = async () => JSON.stringify((await service.rows()).messages);
  return { change, everything, rows: service.rows };
}

test('of a message that was edited and deleted nothing is left, and other messages stay', async () => {
  const { change, everything, rows } = await someMessages('first canary', 'another');
  expect(await change('first canary', 'edit-1', { kind: 'edit', text: 'second canary' })).toBe('received');
  await change('first canary', 'edit-2', { kind: 'edit', text: 'third canary' });
  await change('another', 'edit-3', { kind: 'edit', text: 'another one' });
  expect((await everything()).match(/canary/g)).toHaveLength(3);

  expect(await change('first canary', 'delete', { kind: 'delete' })).toBe('received');
  expect(await everything()).not.toContain('canary');
  const { messages } = await rows();
  // That it was edited, and when, is known still.
  expect(messages.map(({ kind, state, text }) => [kind, state, text])).toEqual([
    ['message', 'deleted', ''],
    ['message', 'final', 'another one'],
    ['edit', 'final', ''],
    ['edit', 'final', ''],
    ['edit', 'final', 'another one'],
    ['delete', 'final', ''],
  ]);
});

test('an edit that comes behind the deletion brings no text back', async () => {
  const { change, everything } = await someMessages('first canary');
  await change('first canary', 'delete', { kind: 'delete' });
  expect(await change('first canary', 'edit', { kind: 'edit', text: 'second canary' })).toBe('received');
  expect(await everything()).not.toContain('canary');
});
