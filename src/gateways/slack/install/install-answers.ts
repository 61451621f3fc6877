import { installPage } from '../../install-page.ts';

/** What the person who installs is told; whoever knows more, the operator, finds it in the log. */

const askAgain = 'Open the link that you were given once more.';
const askOperator = 'Ask whoever gave you the link, or whoever runs this service.';

export const linkWrong = () =>
  installPage(
    400,
    'This link does not work',
    'It is not complete, or it is for another address.',
    askOperator,
  );

export const linkExpired = () =>
  installPage(400, 'This link has expired', 'Ask whoever gave it to you for a new one.');

export const stateWrong = () =>
  installPage(
    400,
    'This installation cannot be finished',
    'It was begun in another browser, took longer than ten minutes, or was finished before.',
    askAgain,
  );

export const denied = () =>
  installPage(200, 'Nothing was installed', 'You said no at Slack, and nothing has changed.', askAgain);

export const slackRefused = (code: string) =>
  installPage(
    400,
    'Slack did not finish the installation',
    `Slack says: ${code.slice(0, 60)}.`,
    `${askAgain} If Slack says the same again: ${askOperator}`,
  );

export const slackAway = () =>
  installPage(503, 'Slack does not answer', 'Nothing was installed. Wait a minute.', askAgain);

export const otherApp = () =>
  installPage(
    409,
    'This is another app',
    'Slack installed another app than the one set up here.',
    askOperator,
  );

export const otherWorkspace = () =>
  installPage(
    409,
    'This is another workspace',
    'The link is for one workspace, and you chose another one at Slack. Nothing was connected.',
    `${askAgain} If it should be this workspace: ${askOperator}`,
  );

export const claimed = () =>
  installPage(
    409,
    'This workspace is connected already',
    'It cannot be connected a second time.',
    askOperator,
  );

export const paused = () =>
  installPage(
    409,
    'This connection is paused',
    'The Slack channel that this link is for is paused, for a reason that an installation does not mend. Nothing was connected.',
    'Whoever runs this service finds the reason with "swarmgate doctor". Once they have mended it, open the link again.',
  );

export const tenantClosed = () => installPage(403, 'Nothing can be installed at the moment', askOperator);

export const hasToken = () =>
  installPage(
    409,
    'This workspace is connected in another way',
    'The bot token of this connection is set by whoever runs the service.',
    askOperator,
  );

export const noApp = () =>
  installPage(
    503,
    'The Slack app is not set up yet',
    'Whoever runs this service has to give it the client id and the client secret of the app.',
  );

export const installed = (name: string | undefined) =>
  installPage(
    200,
    'Connected',
    `${name ?? 'Slack'} is connected. You can close this page and go on in Slack.`,
  );
