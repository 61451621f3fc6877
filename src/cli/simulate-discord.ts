import { randomInt } from 'node:crypto';
import { discordChannel } from '@swarmgate/contract/channels/discord.ts';
import { startDiscordSimulator } from '../simulators/discord/simulator.ts';
import { shownButtons, shownEmbed, shownMarkdown } from './shown-text.ts';
import { type Simulation, SimulationRefusedError } from './simulation.ts';

const guild = '100';
const lookEveryMs = 100;
/** What a text that goes on ends with, perhaps within a code block. */
const draftEnd = / …(?:\n`{3,})?$/;

/** You, in a channel of a server that exists on this machine only, where you ask by command. */
export async function simulateDiscord(): Promise<Simulation> {
  const discord = await startDiscordSimulator();
  // Somebody else and another app each time: what is known of the last one's keys does not matter.
  const you = String(randomInt(1_000_000, 9_999_999));
  const applicationId = String(randomInt(1_000_000, 9_999_999));
  const app = discord.addApp({ id: applicationId });
  discord.addGuild({ id: guild, name: 'Simulated', members: [you] });
  discord.invite(applicationId, guild);
  const channel = discord.addChannel(guild);
  let timer: NodeJS.Timeout | undefined;

  return {
    channel: discordChannel.parse({
      ...{ slug: 'simulated-discord', platform: 'discord', guild, applicationId },
      // By HTTP alone, so that it works whichever roles the service has on this machine.
      ...{ publicKey: app.publicKey, botToken: app.botToken, socket: false },
    }),
    apiUrl: discord.apiUrl,
    introduction: 'You are in a channel of a simulated Discord server, and ask with /ask.',
    connect({ key, url }) {
      app.interactionsUrl = `${url}/webhooks/discord/${key}/interactions`;
    },
    async say(question) {
      const { status } = await discord.command(applicationId, channel, you, 'ask', { question });
      if (status !== 200) throw new SimulationRefusedError(status);
    },
    onAnswer(show) {
      const shown = new Set<string>();
      timer = setInterval(() => {
        for (const { id, loading, content, embeds, components } of discord.posts(channel)) {
          if (loading || draftEnd.test(content) || shown.has(id)) continue;
          shown.add(id);
          show([shownMarkdown(content), ...embeds.map(shownEmbed), ...shownButtons(components)].join('\n'));
        }
      }, lookEveryMs);
    },
    async close() {
      clearInterval(timer);
      await discord.close();
    },
  };
}
