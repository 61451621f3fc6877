import { describe, test } from 'vitest';
import { startPostingPlatform } from '../fakes/posting-platform.ts';
import { aDiary, aServiceProcess } from '../support/a-service-process.ts';
import { planTenant, shopOrigin } from '../support/a-tenant.ts';
import { aVisitor } from '../support/a-visitor.ts';
import { anInstallation } from '../support/an-installation.ts';
import { eventually } from '../support/eventually.ts';
import type { FallPoint } from '../support/fall-points.ts';

// The web chat's visitors never see whether an answer was sent twice; on a platform it would stand there twice.
const points: FallPoint[] = ['after-stream-part', 'before-turn-commit', 'after-turn-commit', 'mid-delivery'];

describe.concurrent('kill -9 while an answer is a post on a platform', () => {
  for (const at of points) {
    test(`${at}: the post is there once, with its final text`, async ({ expect, onTestFinished }) => {
      const platform = await startPostingPlatform();
      onTestFinished(platform.close);
      const installation = await anInstallation();
      onTestFinished(installation.remove);
      const diary = await aDiary(onTestFinished);
      const service = await aServiceProcess(
        {
          installation,
          diary,
          fall: { at, signal: 'SIGKILL' },
          plan: planTenant(),
          platformUrl: platform.url,
        },
        onTestFinished,
      );
      const visitor = await aVisitor(service, { key: 'wk_shop', origin: shopOrigin });

      await visitor.sendUntilTaken('Hello');
      expect(await service.ended()).toBe('SIGKILL');
      await service.restart();
      await eventually(async () => {
        const { deliveries } = await service.rows();
        expect(deliveries.map(({ state }) => state)).toEqual(['sent']);
      });

      const { deliveries, messages } = await service.rows();
      expect(platform.posts.map(({ id, texts }) => [id, texts.at(-1)])).toEqual([
        ['post-1', 'You said: Hello'],
      ]);
      expect(deliveries[0]?.external_ids).toEqual(['post-1']);
      expect(messages.map(({ role, state }) => [role, state])).toEqual([
        ['visitor', 'final'],
        ['agent', 'final'],
      ]);
      const interrupted = platform.calls.flatMap(({ delivery }) => delivery?.interrupted ?? []);
      expect(interrupted).toEqual(at === 'mid-delivery' ? [false, true] : [false]);
    });
  }
});
