import { expect, test } from 'vitest';
import { createLogger } from '#kernel/logger.ts';
import type { RawRequest, Verified, WebhookGateway } from './gateway.ts';
import { createReceiveWebhook, type ReceiveWebhookParts } from './receive-webhook.ts';

function aReceiver() {
  let nowMs = 0;
  const lines: { msg: string }[] = [];
  const quarantined: string[] = [];
  const counted: string[] = [];
  let fails = false;
  const stream = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const parts = {
    channels: { findByAccount: async () => undefined },
    quarantine: async (_platform: string, { key }: { key: string }) => {
      if (fails) throw new Error('The database is away.');
      quarantined.push(key);
    },
    logger: createLogger('warn', stream as never),
    metrics: { platformEvent: (...labels: string[]) => void counted.push(labels.join(' ')) },
    nowMs: () => nowMs,
  } as unknown as ReceiveWebhookParts;
  const { receiveVerified } = createReceiveWebhook(parts);
  return {
    ...{ quarantined, counted, lines },
    pass: (ms: number) => {
      nowMs += ms;
    },
    fail: (next: boolean) => {
      fails = next;
    },
    hear(key: string) {
      const gateway = {
        platform: 'discord',
        identify: async () => ({ kind: 'accounts', accounts: [{ kind: 'guild', key }] }),
      } as unknown as WebhookGateway;
      return receiveVerified(gateway, { secrets: {}, own: undefined }, {} as Verified<RawRequest>);
    },
  };
}

test('what comes for an account that nobody claims is noted and logged once a minute, and counted each time', async () => {
  const { hear, pass, quarantined, counted, lines } = aReceiver();
  for (let times = 0; times < 5; times += 1) await hear('1');
  await hear('2');
  expect(quarantined).toEqual(['1', '2']);
  expect(lines).toHaveLength(2);
  expect(counted).toHaveLength(6);
  pass(60_000);
  await hear('1');
  expect(quarantined).toEqual(['1', '2', '1']);
});

test('and is noted with the next one, when that failed', async () => {
  const { hear, fail, quarantined } = aReceiver();
  fail(true);
  await expect(hear('1')).rejects.toThrow('away');
  fail(false);
  await hear('1');
  expect(quarantined).toEqual(['1']);
});
