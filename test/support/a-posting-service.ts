import { afterAll, beforeAll } from 'vitest';
import { toWire } from '#domain/ids.ts';
import { postingGateway } from '../fakes/posting-gateway.ts';
import { type PostingPlatform, startPostingPlatform } from '../fakes/posting-platform.ts';
import { type Script, say, scriptedAgent } from '../fakes/scripted-agent.ts';
import { sharedService } from './a-service.ts';
import { eventually } from './eventually.ts';
import type { JourneyRows } from './journey-rows.ts';

/**
 * One service for all tests of a file, whose answers become posts on a platform. Each test begins with an agent that
 * plays its script, a visitor of its own and a platform that has forgotten the test before.
 */
export function sharedPostingService() {
  let script: Script = () => say('');
  const { agent, turns } = scriptedAgent((...given) => script(...given));
  let platform: PostingPlatform;
  beforeAll(async () => {
    platform = await startPostingPlatform();
  });
  const shared = sharedService({
    overrides: { wrapAgents: () => agent, wrapGateway: () => postingGateway(platform.url) },
  });
  afterAll(() => platform.close());

  return async (play: Script) => {
    script = play;
    turns.length = 0;
    platform.forget();
    const visitor = await shared().aVisitor();
    /** What the database has of this visitor's conversation. */
    const rows = async (): Promise<JourneyRows> => {
      const all = await shared().rows();
      const isOurs = (row: { conversation_id: string }) =>
        toWire('conversation', row.conversation_id) === visitor.session.conversationId;
      return {
        ...all,
        messages: all.messages.filter(isOurs),
        turns: all.turns.filter(isOurs),
        deliveries: all.deliveries.filter(isOurs),
      };
    };
    return {
      service: shared(),
      platform,
      turns,
      visitor,
      rows,
      /** Waits until what became of each delivery is recorded. */
      settled: (...states: ('sent' | 'failed')[]): Promise<JourneyRows> =>
        eventually(async () => {
          const seen = await rows();
          const found = seen.deliveries.map(({ state }) => state);
          if (found.join() !== states.join())
            throw new Error(`The deliveries are ${found.join() || 'none'}.`);
          return seen;
        }),
    };
  };
}
