import { slackScopes } from '#gateways/slack/install/manifest.ts';
import type { Delivery } from '../../src/simulators/slack/deliver.ts';
import { modelServerUsage } from '../fakes/model-server.ts';
import { planPlatformTenant, slackChannelOf } from '../support/platform-tenants.ts';
import type { Conversation, RunTenant } from './run-tenant.ts';
import { type Stage, sharedApp } from './stage.ts';

/** Without a look at what was posted in channels: there a send that was cut off has to be made again, and counted. */
const scopesWithoutLooking = slackScopes.filter((scope) => scope !== 'channels:history');

/** A tenant with a workspace of its own: of the shared app by HTTP, or of an app of its own by Socket Mode. */
export async function makeSlackTenant(
  stage: Stage,
  kind: 'echo' | 'model' | 'socket',
  slug: string,
): Promise<RunTenant> {
  const { slack, installation } = stage;
  const teamId = `T${slug.toUpperCase().replaceAll('-', '')}`;
  slack.addWorkspace({ teamId });
  const own = { appId: `A${teamId}`, signingSecret: `secret-of-${teamId}`, appToken: `xapp-${teamId}` };
  if (kind === 'socket') slack.addApp(own);
  const { botToken, botUserId } = slack.install(kind === 'socket' ? own.appId : sharedApp.appId, teamId, {
    scopes: kind === 'echo' ? scopesWithoutLooking : slackScopes,
  });
  const channel = slackChannelOf({
    ...{ workspace: teamId, botToken },
    ...(kind === 'socket' && { appId: own.appId, appToken: own.appToken }),
  });
  const model = kind === 'model' ? 'compatible/echo' : 'builtin/echo';
  await installation.apply(planPlatformTenant({ slug, model, channels: [channel] }));
  const meteredTokens =
    kind === 'model' ? modelServerUsage.inputTokens + modelServerUsage.outputTokens : undefined;

  return {
    ...{ kind, slug, meteredTokens, isLasting: kind === 'socket' },

    async open(name, place): Promise<Conversation> {
      const user = `U${name}`;
      const isDirect = place === 'direct';
      const channel = isDirect ? slack.directChannel(teamId, user) : `C${name}`;
      let threadTs: string | undefined;
      return {
        channel,
        async say(text, manner) {
          const ts = nextTimestamp();
          const thread = threadTs;
          if (!isDirect) threadTs ??= ts;
          const { deliveries } = await slack.say(teamId, {
            ...{ user, channel, ts, ...manner },
            text: isDirect ? text : `<@${botUserId}> ${text}`,
            ...(thread !== undefined && { threadTs: thread }),
          });
          return deliveries.some(isTaken);
        },
      };
    },

    async posts() {
      return slack
        .channelsOf(teamId)
        .flatMap((channel) =>
          slack
            .posts(teamId, channel)
            .map(({ ts, finalText, streaming }) => ({ channel, ts, text: finalText, streaming })),
        );
    },
  };
}

function isTaken({ status }: Delivery): boolean {
  return status >= 200 && status < 300;
}

let lastMicros = 0;
/** As Slack gives them; each message has its own. */
function nextTimestamp(): string {
  lastMicros = Math.max(lastMicros + 1, Date.now() * 1_000 + 7);
  return `${Math.floor(lastMicros / 1e6)}.${String(lastMicros % 1e6).padStart(6, '0')}`;
}
