import { newSlackId } from '../identifiers.ts';
import type { App } from '../installations.ts';
import { type Json, textOf } from '../json.ts';
import type { Actor, Stage } from '../stage.ts';

export type EnvelopeOptions = {
  eventId?: string;
  /** The workspace of who did it, where that is another one than the app's (Slack Connect). */
  fromTeamId?: string;
  isShared?: boolean;
};

/** What surrounds an event (https://docs.slack.dev/apis/events-api#callback-field). */
export function envelopeOf(
  stage: Stage,
  app: App,
  { installation, teamId }: Actor,
  event: Json,
  options: EnvelopeOptions = {},
): Json {
  const { eventId = newSlackId('Ev'), fromTeamId = teamId, isShared = false } = options;
  const enterpriseId = stage.world.workspace(teamId).enterpriseId ?? null;
  const channel = textOf(event['channel']) || undefined;
  const context = { et: event['type'], tid: teamId, aid: app.appId, ...(channel && { cid: channel }) };
  return {
    token: app.verificationToken,
    team_id: fromTeamId,
    ...(enterpriseId !== null && { enterprise_id: enterpriseId }),
    context_team_id: teamId,
    context_enterprise_id: enterpriseId,
    api_app_id: app.appId,
    event,
    type: 'event_callback',
    event_id: eventId,
    event_time: Math.floor(stage.now() / 1_000),
    authorizations: [
      {
        enterprise_id: enterpriseId,
        team_id: teamId,
        user_id: installation.botUserId,
        is_bot: true,
        is_enterprise_install: installation.teamId === undefined,
      },
    ],
    is_ext_shared_channel: isShared,
    event_context: `4-${Buffer.from(JSON.stringify(context)).toString('base64')}`,
  };
}
