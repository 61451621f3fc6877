import type { Figure } from '../figures.ts';
import { startSlackLoad } from '../slack/load.ts';
import { measureInTurn } from '../slack/rounds.ts';
import { startBolt, startChatSdk } from '../subjects/peers.ts';
import { startRawLimit } from '../subjects/raw-limit.ts';
import type { Subject } from '../subjects/subject.ts';
import { install, startSwarmgate } from '../subjects/swarmgate.ts';
import type { Scenario } from './scenario.ts';

export const slack: Scenario = {
  about:
    '1,000 tenants: a Slack event is taken, stored and answered by builtin/echo, one process that takes and one that answers',
  async run({ servers, scale }) {
    const tenants = 1_000 * scale;
    const load = await startSlackLoad();
    const subjects: Subject[] = [];
    const installation = await install(servers, { tenants, apiUrl: load.apiUrl });
    try {
      const peer = { tenants, apiUrl: load.apiUrl, redisUrl: await servers.takeRedis() };
      const ours = await startSwarmgate('Swarmgate', installation);
      subjects.push(ours);
      const chatSdk = await startChatSdk(peer);
      subjects.push(chatSdk);
      const bolt = await startBolt(peer);
      subjects.push(bolt);
      const raw = await startRawLimit(installation);
      const [us, chat, bare] = await measureInTurn(load, [ours, chatSdk, bolt] as const, {
        messages: 4_000 * scale,
        workspacesOf: () => tenants,
      });
      await raw.measure(4_000 * scale); // warms up, as the first round of the others does
      const rawPerSecond = await raw.measure(4_000 * scale);
      await raw.close();
      const figures: Figure[] = [
        {
          what: 'replies',
          value: us.repliesPerSecond,
          unit: '/s',
          beside: { what: chatSdk.name, value: chat.repliesPerSecond },
          bar: { atLeast: 1 },
        },
        {
          what: 'replies',
          value: us.repliesPerSecond,
          unit: '/s',
          beside: { what: bolt.name, value: bare.repliesPerSecond },
          bar: { atLeast: 0.6 },
        },
        {
          what: 'replies',
          value: us.repliesPerSecond,
          unit: '/s',
          beside: { what: 'the same statements and queue calls alone', value: rawPerSecond },
        },
        {
          what: 'acknowledgements',
          value: us.acksPerSecond,
          unit: '/s',
          beside: { what: bolt.name, value: bare.acksPerSecond },
          bar: { atLeast: 1 },
        },
        {
          what: 'acknowledged, p99',
          value: us.ackMs.p99,
          unit: 'ms',
          beside: { what: bolt.name, value: bare.ackMs.p99 },
          bar: { atMost: 1.5 },
        },
        {
          what: 'acknowledged, p50',
          value: us.ackMs.p50,
          unit: 'ms',
          beside: { what: bolt.name, value: bare.ackMs.p50 },
        },
        {
          what: 'answered, p50',
          value: us.replyMs.p50,
          unit: 'ms',
          beside: { what: chatSdk.name, value: chat.replyMs.p50 },
        },
        {
          what: 'answered, p99',
          value: us.replyMs.p99,
          unit: 'ms',
          beside: { what: chatSdk.name, value: chat.replyMs.p99 },
        },
        {
          what: 'computing a message, without servers',
          value: us.cpuMsPerMessage,
          unit: 'ms',
          beside: { what: chatSdk.name, value: chat.cpuMsPerMessage },
        },
        {
          what: 'memory',
          value: us.memoryMb,
          unit: 'MB',
          beside: { what: chatSdk.name, value: chat.memoryMb },
        },
      ];
      return figures;
    } finally {
      for (const subject of subjects) await subject.stop();
      installation.remove();
      await load.close();
    }
  },
};
