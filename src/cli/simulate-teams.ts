import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { teamsChannel } from '@swarmgate/contract/channels/teams.ts';
import { startTeamsSimulator } from '../simulators/teams/simulator.ts';
import { shownButtons, shownMarkdown } from './shown-text.ts';
import { type Simulation, SimulationRefusedError } from './simulation.ts';

const lookEveryMs = 100;

/** You, in a chat with the bot, in an Entra tenant that exists on this machine only. */
export async function simulateTeams(tenant: string): Promise<Simulation> {
  const appId = guidOf(`app of ${tenant}`);
  const aadTenant = guidOf(tenant);
  const teams = await startTeamsSimulator();
  // Somebody else each time: the stand-in does not know the chats of the last time.
  const user = `29:you-${randomUUID()}`;
  const appPassword = randomBytes(16).toString('hex');
  const app = teams.addApp({ appId, password: appPassword, name: 'Simulated', homeTenant: aadTenant });
  let timer: NodeJS.Timeout | undefined;

  return {
    channel: teamsChannel.parse({
      ...{ slug: 'simulated-teams', platform: 'teams', aadTenant, appId, appPassword },
    }),
    apiUrl: teams.url,
    introduction: 'You are in a chat with the bot of a simulated Microsoft Teams.',
    connect({ key, url }) {
      app.messagesUrl = `${url}/webhooks/teams/${key}/messages`;
    },
    async say(text) {
      const { deliveries } = await teams.say(appId, { tenant: aadTenant, user, text });
      const last = deliveries.at(-1);
      if (last?.status !== 200) throw new SimulationRefusedError(last?.status ?? 0);
    },
    onAnswer(show) {
      const shown = new Set<string>();
      const { id: chat } = teams.direct(appId, aadTenant, user);
      timer = setInterval(() => {
        for (const { id, isStreaming, text, activity } of teams.posts(chat)) {
          if (isStreaming || shown.has(id)) continue;
          shown.add(id);
          show([shownMarkdown(text), ...shownButtons(activity['attachments'])].join('\n'));
        }
      }, lookEveryMs);
    },
    async close() {
      clearInterval(timer);
      await teams.close();
    },
  };
}

/** The same each time, and each tenant's own: an account belongs to one channel. */
function guidOf(name: string): string {
  const digits = createHash('sha256').update(name).digest('hex');
  return `5117a7ed-${digits.slice(0, 4)}-${digits.slice(4, 8)}-${digits.slice(8, 12)}-${digits.slice(12, 24)}`;
}
