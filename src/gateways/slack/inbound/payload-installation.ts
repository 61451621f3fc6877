import type { SlackPayload } from './payload-body.ts';
import { type Fields, fieldsOf, rowsOf } from './payload-fields.ts';

/** The installation of the app that a payload was sent for: a workspace, the enterprise above it, or both. */
export type SlackInstallationNamed = { workspace?: string; enterprise?: string };

export function installationOf({ endpoint, fields }: SlackPayload): SlackInstallationNamed {
  switch (endpoint) {
    case 'events':
      return installationOfEvent(fields);
    case 'interactions':
      return installationOfInteraction(fields);
    case 'commands':
      return named(fields['team_id'], fields['enterprise_id']);
  }
}

/** What every key of a message begins with: equal time stamps in two workspaces are two messages. */
export function teamOf({ workspace, enterprise }: SlackInstallationNamed): string {
  return workspace ?? enterprise ?? '';
}

/**
 * An event names up to three workspaces, and in a Slack Connect channel they differ:
 *
 * 1. `authorizations[0]`: an installation of ours that may see the event. It decides. Of an org-wide installation it may
 *    name the enterprise alone.
 * 2. `context_team_id`: the workspace through which the event was seen. It completes 1. where it lies in the same
 *    enterprise, and stands in for it.
 * 3. `team_id`: the workspace where it happened, which may be the other side's. Only what names nothing better, such as
 *    `app_uninstalled`, is known by it.
 *
 * @see https://docs.slack.dev/apis/events-api/
 * @see https://docs.slack.dev/enterprise/developing-for-enterprise-orgs/
 */
function installationOfEvent(fields: Fields): SlackInstallationNamed {
  const [authorization = {}] = rowsOf(fields['authorizations']);
  const authorized = named(authorization['team_id'], authorization['enterprise_id']);
  const seen = named(fields['context_team_id'], fields['context_enterprise_id']);
  const happened = named(fields['team_id'], fields['enterprise_id']);
  return complete(authorized, isAny(seen) ? seen : happened);
}

/**
 * `team` is null where the app is installed org-wide; the person's own workspace then stands in for it. A view knows
 * better than both: filled in from a Slack Connect channel, it comes with the team of whoever fills it in.
 *
 * @see https://github.com/slackapi/bolt-js/issues/1614
 */
function installationOfInteraction(fields: Fields): SlackInstallationNamed {
  const view = fieldsOf(fields['view']);
  const team = fieldsOf(fields['team']);
  const user = fieldsOf(fields['user']);
  const enterprise = fieldsOf(fields['enterprise'])['id'] ?? team['enterprise_id'];
  const happened = named(team['id'] ?? user['team_id'] ?? view['team_id'], enterprise);
  return complete(named(view['app_installed_team_id'], undefined), happened);
}

/** What is said of the installation elsewhere is added if it is said of the same one, and taken if nothing else is. */
function complete(
  installation: SlackInstallationNamed,
  elsewhere: SlackInstallationNamed,
): SlackInstallationNamed {
  if (!isAny(installation)) return elsewhere;
  const isSame = installation.workspace
    ? installation.workspace === elsewhere.workspace
    : installation.enterprise === elsewhere.enterprise;
  return isSame ? { ...elsewhere, ...installation } : installation;
}

function isAny({ workspace, enterprise }: SlackInstallationNamed): boolean {
  return (workspace ?? enterprise) !== undefined;
}

/** Where a team is asked for, an org-wide installation may have its enterprise. */
function named(team: unknown, enterprise: unknown): SlackInstallationNamed {
  const ids = [team, enterprise].filter((id) => typeof id === 'string');
  const workspace = ids.find((id) => /^T[A-Z0-9]{1,30}$/.test(id));
  const above = ids.find((id) => /^E[A-Z0-9]{1,30}$/.test(id));
  return { ...(workspace && { workspace }), ...(above && { enterprise: above }) };
}
