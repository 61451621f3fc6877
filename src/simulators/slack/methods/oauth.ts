import { equalInConstantTime } from '#kernel/key-ring.ts';
import { type App, type BotToken, type Installation, rotatedTokenSeconds } from '../installations.ts';
import type { Json } from '../json.ts';
import { SlackRefusal } from '../refusal.ts';
import type { Stage } from '../stage.ts';
import type { Method, OpenCall } from './method.ts';

/** https://docs.slack.dev/reference/methods/oauth.v2.access */
export const oauthMethods: Readonly<Record<string, Method>> = {
  'oauth.v2.access': { token: 'none', tier: 4, isFormOnly: true, run: access },
};

function access(call: OpenCall): Json {
  const { stage, args } = call;
  const app = authenticate(call);
  const grant = args.text('grant_type') ?? 'authorization_code';
  if (grant === 'authorization_code') return exchange(call, app);
  if (grant !== 'refresh_token') throw new SlackRefusal('invalid_grant_type');
  const token = stage.installations.tokenByRefresh(args.text('refresh_token') ?? '');
  if (token?.installation.appId !== app.appId || !token.installation.isActive)
    throw new SlackRefusal('invalid_refresh_token');
  return answer(stage, app, stage.installations.renew(token));
}

function authenticate({ stage, args, basic }: OpenCall): App {
  const app = stage.installations.appByClient(basic?.user ?? args.text('client_id') ?? '');
  if (!app) throw new SlackRefusal('invalid_client_id');
  const secret = basic?.password ?? args.text('client_secret') ?? '';
  if (!equalInConstantTime(secret, app.clientSecret ?? '')) throw new SlackRefusal('bad_client_secret');
  return app;
}

function exchange({ stage, args }: OpenCall, app: App): Json {
  const approval = stage.approvals.take(args.text('code') ?? '', app.appId);
  if (!approval) throw new SlackRefusal('invalid_code');
  if (args.text('redirect_uri') !== approval.redirectUri) throw new SlackRefusal('bad_redirect_uri');
  const { token } = stage.installations.install(app.appId, approval.place, { scopes: approval.scopes });
  return { ...answer(stage, app, token), authed_user: { id: approval.user } };
}

function answer(stage: Stage, app: App, token: BotToken): Json {
  const { installation, value, refreshToken } = token;
  return {
    access_token: value,
    token_type: 'bot',
    scope: (installation.scopes ?? []).join(','),
    bot_user_id: installation.botUserId,
    app_id: app.appId,
    ...whereInstalled(stage, installation),
    authed_user: {},
    ...(refreshToken !== undefined && { refresh_token: refreshToken, expires_in: rotatedTokenSeconds }),
  };
}

function whereInstalled({ world }: Stage, { teamId, enterpriseId }: Installation): Json {
  const enterprise =
    enterpriseId === undefined ? null : { id: enterpriseId, name: `Enterprise ${enterpriseId}` };
  if (teamId === undefined) return { team: null, enterprise, is_enterprise_install: true };
  return {
    team: { id: teamId, name: world.workspace(teamId).name },
    enterprise,
    is_enterprise_install: false,
  };
}
