import type { Stage } from './stage.ts';

/** Who answers the question whether an app may be installed, and where. */
export type Approver = ({ teamId: string } | { enterpriseId: string }) & { user: string };

export type Page = { status: number; headers: Record<string, string>; body: string };

/**
 * `GET /oauth/v2/authorize` with the person's answer given at once (https://docs.slack.dev/authentication/installing-with-oauth):
 * yes for the workspace of `team`, or for what the approver stands for; no with `deny=1`.
 */
export function authorize(stage: Stage, approver: Approver | undefined, query: URLSearchParams): Page {
  const app = stage.installations.appByClient(query.get('client_id') ?? '');
  if (!app) return problem('invalid_client_id');
  const scopes = (query.get('scope') ?? '').split(/[, ]+/).filter((scope) => scope !== '');
  if (scopes.length === 0) return problem('no_scopes');
  const given = query.get('redirect_uri') ?? undefined;
  const redirectUri = given ?? app.redirectUrls?.[0];
  const isAllowed = app.redirectUrls?.some((url) => redirectUri?.startsWith(url)) ?? true;
  if (redirectUri === undefined || !URL.canParse(redirectUri) || !isAllowed)
    return problem('bad_redirect_uri');

  const back = new URL(redirectUri);
  if (query.get('deny') === '1') {
    back.searchParams.set('error', 'access_denied');
  } else {
    const place = placeOf(stage, approver, query.get('team') ?? undefined);
    if (!place) return problem('there is no workspace to install the app in');
    const code = stage.approvals.approve({
      appId: app.appId,
      place,
      user: approver?.user ?? 'U0APPROVER',
      scopes,
      redirectUri: given,
    });
    back.searchParams.set('code', code);
  }
  const state = query.get('state');
  if (state !== null) back.searchParams.set('state', state);
  return { status: 302, headers: { location: back.href }, body: '' };
}

function placeOf({ world }: Stage, approver: Approver | undefined, team: string | undefined) {
  if (team !== undefined && world.workspaces.has(team)) return { teamId: team };
  if (approver)
    return 'teamId' in approver ? { teamId: approver.teamId } : { enterpriseId: approver.enterpriseId };
  const [first] = world.workspaces.keys();
  return first === undefined ? undefined : { teamId: first };
}

function problem(error: string): Page {
  return { status: 400, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: error };
}
