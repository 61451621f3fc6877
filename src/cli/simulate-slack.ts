import { createHash, randomBytes } from 'node:crypto';
import { slackChannel } from '@swarmgate/contract/channels/slack.ts';
import { startSlackSimulator } from '../simulators/slack/simulator.ts';
import { shownButtons, shownMarkdown } from './shown-text.ts';
import { type Simulation, SimulationRefusedError } from './simulation.ts';

const appId = 'ASIMULATED';
const user = 'UYOU';
const lookEveryMs = 100;

/** You, in the direct messages with the bot, in a workspace that exists on this machine only. */
export async function simulateSlack(tenant: string): Promise<Simulation> {
  // Each tenant's own: a workspace belongs to one channel.
  const teamId = `T${createHash('sha256').update(tenant).digest('hex').slice(0, 16).toUpperCase()}`;
  const slack = await startSlackSimulator();
  const signingSecret = randomBytes(16).toString('hex');
  slack.addWorkspace({ teamId, name: 'Simulated' });
  const app = slack.addApp({ appId, signingSecret });
  const { botToken } = slack.install(appId, teamId);
  let timer: NodeJS.Timeout | undefined;

  return {
    channel: slackChannel.parse({
      ...{ slug: 'simulated-slack', platform: 'slack', workspace: teamId, appId, signingSecret, botToken },
    }),
    apiUrl: slack.apiUrl,
    introduction: 'You are in the direct messages with the bot of a simulated Slack workspace.',
    connect({ key, url }) {
      const base = `${url}/webhooks/slack/${key}`;
      Object.assign(app, {
        eventsUrl: `${base}/events`,
        interactionsUrl: `${base}/interactions`,
        commandsUrl: `${base}/commands`,
      });
    },
    async say(text) {
      const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
      const { deliveries } = await slack.say(teamId, { user, text: escaped });
      const last = deliveries.at(-1);
      if (last?.failure !== undefined) throw new SimulationRefusedError(last.status);
    },
    onAnswer(show) {
      const shown = new Set<string>();
      const channel = slack.directChannel(teamId, user);
      timer = setInterval(() => {
        for (const { ts, streaming, finalText, markdown, blocks } of slack.posts(teamId, channel)) {
          if (streaming || shown.has(ts)) continue;
          shown.add(ts);
          const text = markdown === undefined ? finalText : shownMarkdown(finalText);
          show([text, ...shownButtons(blocks)].join('\n'));
        }
      }, lookEveryMs);
    },
    async close() {
      clearInterval(timer);
      await slack.close();
    },
  };
}
