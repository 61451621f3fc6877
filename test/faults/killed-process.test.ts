import { randomUUID } from 'node:crypto';
import { describe, test } from 'vitest';
import { aDiary, aServiceProcess } from '../support/a-service-process.ts';
import { planTenant, shopOrigin } from '../support/a-tenant.ts';
import { aVisitor } from '../support/a-visitor.ts';
import { anInstallation } from '../support/an-installation.ts';
import { eventually } from '../support/eventually.ts';
import type { FallPoint } from '../support/fall-points.ts';

const points: FallPoint[] = [
  'after-receive-commit',
  'before-wake',
  'mid-turn',
  'between-steps',
  'while-streaming',
  'after-turn-commit',
  'mid-delivery',
];

describe.concurrent('kill -9', () => {
  for (const at of points) {
    test(`${at} loses nothing and answers nothing twice`, async ({ expect, onTestFinished }) => {
      const installation = await anInstallation();
      onTestFinished(installation.remove);
      const diary = await aDiary(onTestFinished);
      const fall = { at, signal: 'SIGKILL' } as const;
      const service = await aServiceProcess(
        { installation, diary, fall, plan: planTenant() },
        onTestFinished,
      );
      const visitor = await aVisitor(service, { key: 'wk_shop', origin: shopOrigin });

      const sending = visitor.sendUntilTaken('Hello', randomUUID());
      expect(await service.ended()).toBe('SIGKILL');
      await service.restart();
      const first = await sending;
      const answers = [await visitor.answerTo(first)];
      const second = await visitor.sendUntilTaken('Again');
      answers.push(await visitor.answerTo(second));

      expect(answers.map(({ text }) => text)).toEqual(['You said: Hello', 'You said: Again']);
      await eventually(async () => {
        const { deliveries } = await service.rows();
        expect(deliveries.map(({ state }) => state)).toEqual(['sent', 'sent']);
      });
      const { messages, turns } = await service.rows();
      expect(messages.map(({ role }) => role)).toEqual(['visitor', 'agent', 'visitor', 'agent']);
      expect(turns.map(({ state }) => state)).toEqual(['done', 'done']);
      expect(diary.count('looked up Hello')).toBe(1);
      expect(await service.stop()).toBe(0);
    });
  }
});
