import { onTestFinished } from 'vitest';
import { postingGateway } from '../fakes/posting-gateway.ts';
import { startPostingPlatform } from '../fakes/posting-platform.ts';
import type { Script } from '../fakes/scripted-agent.ts';
import { scriptedAgent } from '../fakes/scripted-agent.ts';
import { aService } from './a-service.ts';
import { eventually } from './eventually.ts';
import type { JourneyRows } from './journey-rows.ts';

/** A service whose answers become posts on a platform, with an agent that plays a script. It goes with the test. */
export async function aPostingService(script: Script) {
  const platform = await startPostingPlatform();
  onTestFinished(platform.close);
  const { agent, turns } = scriptedAgent(script);
  const service = await aService({
    overrides: { wrapAgents: () => agent, wrapGateway: () => postingGateway(platform.url) },
  });
  return {
    service,
    platform,
    turns,
    visitor: await service.aVisitor(),
    /** Waits until what became of each delivery is recorded. */
    settled: (...states: ('sent' | 'failed')[]): Promise<JourneyRows> =>
      eventually(async () => {
        const rows = await service.rows();
        const found = rows.deliveries.map(({ state }) => state);
        if (found.join() !== states.join()) throw new Error(`The deliveries are ${found.join() || 'none'}.`);
        return rows;
      }),
  };
}
