import type { Method } from './method.ts';

/** https://docs.slack.dev/reference/methods/auth.test */
export const authMethods: Readonly<Record<string, Method>> = {
  'auth.test': {
    token: 'bot',
    tier: 4,
    run({ stage, app, installation }) {
      const { teamId, enterpriseId, botUserId, botId } = installation;
      const workspace = teamId === undefined ? undefined : stage.world.workspace(teamId);
      return {
        url: `https://${workspace?.domain ?? enterpriseId?.toLowerCase()}.slack.com/`,
        team: workspace?.name ?? `Enterprise ${enterpriseId}`,
        user: app.name,
        team_id: teamId ?? enterpriseId,
        user_id: botUserId,
        bot_id: botId,
        ...(enterpriseId !== undefined && { enterprise_id: enterpriseId }),
        is_enterprise_install: teamId === undefined,
      };
    },
  },
};
