import type { OpenChannel } from './gateway.ts';

/** What the reason of a pause says when another installation is what ends it. Those of other pauses say something else. */
export const installAgain = 'Install the app again with the channel’s link';

/**
 * Whether an installation may connect this channel. It makes the channel active, so it may not where the pause is for
 * something that an installation does not mend: a socket that is refused, a stand-in that has gone.
 */
export function mayInstall({ status, statusReason }: Pick<OpenChannel, 'status' | 'statusReason'>): boolean {
  return status === 'active' || statusReason?.includes(installAgain) === true;
}
