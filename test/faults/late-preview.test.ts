import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { HotPathFunction, Scopes } from '#tenancy/scopes.ts';
import type { AppOverrides } from '../../src/app.ts';
import { done, scriptedAgent } from '../fakes/scripted-agent.ts';
import { aDiscordService, guildId, isConnected, sharedAppId } from '../support/a-discord-service.ts';
import type { Service } from '../support/a-service.ts';
import { aSlackService } from '../support/a-slack-service.ts';
import { aTeamsService, contoso, sharedBot } from '../support/a-teams-service.ts';
import { eventually } from '../support/eventually.ts';
import { wakeByHand } from '../support/wake-by-hand.ts';

/** A platform that takes its time for one call of a preview, so that it is done after the answer was. */
type Stage = {
  service: Service;
  /** Asks, and answers what people then see of the answer. */
  ask: () => Promise<() => string[]>;
};

/** `onHeld`: the call of the preview has come in. */
type Begin = (overrides: AppOverrides, onHeld: () => void) => Promise<Stage>;

/** Less than a gateway waits for a preview's call, and enough for somebody else to answer meanwhile. */
const heldMs = 4_000;
/** Long enough for the post of a preview to be made and kept, on a machine that is busy. */
const leaseMs = 3_000;

const slack =
  (method: 'chat.update' | 'chat.appendStream'): Begin =>
  async (overrides, onHeld) => {
    const service = await aSlackService({ overrides });
    const { slack, botUserId } = service;
    if (method === 'chat.update')
      slack.fail('chat.startStream', { kind: 'ok_false', error: 'unknown_method', times: 100 });
    slack.fail(method, { kind: 'slow', delayMs: heldMs, where: () => isTold(onHeld) });
    return {
      service,
      async ask() {
        await slack.say('T1', { user: 'U1', channel: 'C1', text: `<@${botUserId}> tell me` });
        return () => slack.posts('T1', 'C1').map(({ finalText }) => finalText);
      },
    };
  };

const discord: Begin = async (overrides, onHeld) => {
  const service = await aDiscordService({ overrides });
  await isConnected(service.discord);
  service.discord.fail('PATCH', /^\/channels\/\d+\/messages\/\d+$/, {
    ...{ kind: 'slow', delayMs: heldMs, onBegun: onHeld },
  });
  return {
    service,
    async ask() {
      const channel = service.discord.addChannel(guildId);
      const { id } = service.discord.say(channel, { user: '7', text: `<@${sharedAppId}> tell me` });
      return () => service.discord.posts(id).map(({ content }) => content);
    },
  };
};

const teams: Begin = async (overrides, onHeld) => {
  const service = await aTeamsService({ overrides });
  service.teams.fail({
    ...{ kind: 'slow', delayMs: heldMs },
    where: ({ activity }) => JSON.stringify(activity).includes('"streamSequence":2') && isTold(onHeld),
  });
  return {
    service,
    async ask() {
      const { conversation } = await service.teams.say(sharedBot.appId, {
        ...{ tenant: contoso, user: '29:ann', text: 'tell me' },
      });
      return () => service.teams.posts(conversation).map(({ text }) => text);
    },
  };
};

function isTold(onHeld: () => void): true {
  onHeld();
  return true;
}

describe('a call that shows how an answer grows, done after another worker has finished the answer, is put right', () => {
  test.each<[string, Begin]>([
    ['an edit in Slack', slack('chat.update')],
    ['a piece of a stream in Slack', slack('chat.appendStream')],
    ['an edit in Discord', discord],
    ['a piece of a stream in Teams', teams],
  ])('%s', async (_what, begin) => {
    const { wrapQueue, wake } = wakeByHand();
    const [held, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let isHeld = false;
    const onHeld = () => {
      isHeld = true;
      held.resolve();
    };
    const { agent, turns } = scriptedAgent(async function* () {
      if (turns.length > 1) {
        yield done('The whole answer.');
        return;
      }
      yield { kind: 'text', delta: 'Only' };
      while (!isHeld) {
        yield { kind: 'text', delta: ' half' };
        await sleep(500);
      }
      await answered.promise;
      yield done('Too late.');
    });
    const overrides = {
      leaseMs,
      wrapAgents: () => agent,
      wrapQueue,
      wrapScopes: overlookLostLeases,
    };
    const { service, ask } = await begin(overrides, onHeld);
    onTestFinished(() => {
      onHeld();
      answered.resolve();
    });

    const seen = await ask();
    await held.promise;
    const [turn] = turns;
    if (!turn) throw new Error('There is a turn.');
    await eventually(async () => {
      await wake('turn', turn);
      expect(turns).toHaveLength(2);
    });
    await eventually(async () =>
      expect((await service.rows()).deliveries).toMatchObject([{ state: 'sent' }]),
    );
    answered.resolve();

    await eventually(() =>
      expect(service.logLines.map(({ msg }) => msg)).toContain('the lease was lost; nothing was written'),
    );
    await eventually(async () => {
      expect(seen()).toEqual(['The whole answer.']);
      expect((await service.rows()).deliveries).toMatchObject([{ state: 'sent', attempt: 2 }]);
    });
  });
});

/** A worker that is frozen hears nothing of it either. */
function overlookLostLeases(scopes: Scopes): Scopes {
  return {
    ...scopes,
    call: <Row extends object>(name: HotPathFunction, parameters: readonly unknown[]) =>
      name === 'swarmgate.extend_lease_v1'
        ? Promise.resolve([{ extend_lease_v1: 'held' } as unknown as Row])
        : scopes.call<Row>(name, parameters),
  };
}
