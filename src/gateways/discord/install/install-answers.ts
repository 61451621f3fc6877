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
  installPage(
    200,
    'Nothing was connected',
    'You said no at Discord, and nothing has changed here.',
    askAgain,
  );
export const discordRefused = () =>
  installPage(
    400,
    'Discord did not finish the installation',
    'Discord does not confirm which server was chosen.',
    `${askAgain} If it says the same again: ${askOperator}`,
  );
export const discordAway = () =>
  installPage(503, 'Discord does not answer', 'Nothing was connected. Wait a minute.', askAgain);
export const otherServer = () =>
  installPage(
    409,
    'This is another server',
    'The link is for one server, and you chose another one at Discord. Nothing was connected; you can remove the app there.',
    askAgain,
  );
export const claimed = () =>
  installPage(409, 'This server is connected already', 'It cannot be connected a second time.', askOperator);
export const paused = () =>
  installPage(
    409,
    'This connection is paused',
    'The Discord channel that this link is for is paused, for a reason that an installation does not mend. Nothing was connected.',
    'Whoever runs this service finds the reason with "swarmgate doctor". Once they have mended it, open the link again.',
  );

export const tenantClosed = () => installPage(403, 'Nothing can be installed at the moment', askOperator);
export const noApp = () =>
  installPage(
    503,
    'The Discord app is not set up yet',
    'Whoever runs this service has to give it the client secret of the application.',
  );
export const installed = (name: string | undefined) =>
  installPage(
    200,
    'Connected',
    `${name ?? 'Your server'} is connected. You can close this page and go on in Discord.`,
  );
