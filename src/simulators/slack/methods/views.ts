import { randomBytes } from 'node:crypto';
import { checkView } from '../content/check-view.ts';
import { newSlackId } from '../identifiers.ts';
import type { Json } from '../json.ts';
import { refuseArgument } from '../refusal.ts';
import type { BotCall, Method } from './method.ts';

/** Modals and homes (https://docs.slack.dev/reference/methods?query=views). */
export const viewMethods: Readonly<Record<string, Method>> = {
  'views.open': {
    token: 'bot',
    tier: 4,
    run(call) {
      const view = call.args.object('view');
      if (!view) throw refuseArgument('invalid_arguments', 'missing required field: view');
      checkView(view, 'modal');
      const trigger = call.args.required('trigger_id');
      const { teamId, user } = call.stage.interactivity.useTrigger(trigger, call.app.appId);
      return { view: keep(call, 'modal', teamId, user, view) };
    },
  },
  'views.publish': {
    token: 'bot',
    tier: 4,
    run(call) {
      const { stage, args, installation } = call;
      const view = args.object('view');
      if (!view) throw refuseArgument('invalid_arguments', 'missing required field: view');
      checkView(view, 'home');
      const user = args.required('user_id');
      const teamId = stage.installations
        .teamsOf(installation)
        .find((team) => stage.world.workspace(team).users.has(user));
      if (teamId !== undefined) return { view: keep(call, 'home', teamId, user, view) };
      const others = stage.world.teamsWhere(({ users }) => users.has(user));
      if (others.length > 0) call.violation(`names the user ${user} of ${others.join(', ')}`);
      throw refuseArgument('invalid_arguments', 'unknown user_id');
    },
  },
};

function keep(call: BotCall, kind: 'modal' | 'home', teamId: string, user: string, view: Json): Json {
  const { stage, app, installation } = call;
  const id = newSlackId('V');
  const kept = {
    private_metadata: '',
    callback_id: '',
    ...view,
    id,
    team_id: teamId,
    state: { values: {} },
    hash: `${Math.floor(stage.now() / 1_000)}.${randomBytes(4).toString('hex')}`,
    root_view_id: id,
    previous_view_id: null,
    app_id: app.appId,
    app_installed_team_id: teamId,
    bot_id: installation.botId,
  };
  stage.judge.views.push({ id, kind, appId: app.appId, teamId, user, view: kept });
  return kept;
}
