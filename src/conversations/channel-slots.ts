import { GatewayError } from '#gateways/gateway-error.ts';

/** How many sends of one channel are at work at once in a process, and how many more may wait for them. */
const atWorkMax = 16;
const waitingMax = 8;
const waitMsMax = 2_000;
/** How many more are called back in their turn. Those hold nothing of the process but what names them. */
const inLineMax = 1_000;

/** All places of a channel are taken. How long to wait is left to the delivery: longer each time, unless it is called back. */
export class ChannelFullError extends GatewayError {
  constructor() {
    super('not_now', 'The channel’s platform is slow, and takes up all of its places.');
  }
}

/** A place that is kept for one who is called back, until it has come in or will not come. */
export type Invitation = { isOpen: boolean };

/** Never rejects. */
type ComeBack = (invitation: Invitation) => Promise<void>;
type Channel = { atWork: number; waiting: (() => void)[]; invited: number; line: Map<string, ComeBack> };

/**
 * Bounds what one channel's deliveries hold of a process: while its platform is slow or down, each of them holds its
 * place for as long as the platform takes to say nothing. Who is turned away may stand in line, and is called back as
 * places turn over, so that a channel with much to say goes as fast as its platform takes it.
 */
export function createChannelSlots(limits = { atWorkMax, waitingMax, waitMsMax, inLineMax }) {
  const channels = new Map<string, Channel>();

  const channelOf = (channelId: string): Channel => {
    const channel = channels.get(channelId) ?? { atWork: 0, waiting: [], invited: 0, line: new Map() };
    channels.set(channelId, channel);
    return channel;
  };

  const isFull = ({ atWork, waiting, invited }: Channel) =>
    atWork + waiting.length + invited >= limits.atWorkMax + limits.waitingMax;

  async function enter(channelId: string, invitation: Invitation | undefined): Promise<void> {
    const channel = channelOf(channelId);
    if (invitation?.isOpen) close(channel, invitation);
    // Those in line were there before.
    else if (channel.line.size > 0 || isFull(channel)) throw new ChannelFullError();
    if (channel.atWork < limits.atWorkMax) {
      channel.atWork += 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        channel.waiting.splice(channel.waiting.indexOf(come), 1);
        reject(new ChannelFullError());
      }, limits.waitMsMax);
      const come = () => {
        clearTimeout(timer);
        resolve();
      };
      channel.waiting.push(come);
    });
  }

  // Who waits takes the place over, so that it never looks free in between.
  function leave(channelId: string): void {
    const channel = channelOf(channelId);
    const next = channel.waiting.shift();
    if (next) next();
    else channel.atWork -= 1;
    callBack(channelId);
  }

  function callBack(channelId: string): void {
    const channel = channelOf(channelId);
    for (const [key, comeBack] of channel.line) {
      if (isFull(channel)) return;
      channel.line.delete(key);
      channel.invited += 1;
      const invitation = { isOpen: true };
      void comeBack(invitation).finally(() => {
        if (!invitation.isOpen) return;
        close(channel, invitation);
        callBack(channelId);
      });
    }
    if (channel.atWork + channel.invited === 0) channels.delete(channelId);
  }

  return {
    /**
     * Does some work in the name of a channel. `invitation`: it was called back, and a place is kept for it.
     *
     * @throws {ChannelFullError} when the places stay taken
     */
    async within<Result>(
      channelId: string,
      work: () => Promise<Result>,
      invitation?: Invitation,
    ): Promise<Result> {
      await enter(channelId, invitation);
      try {
        return await work();
      } finally {
        leave(channelId);
      }
    },

    /** Whether somebody who came now would be turned away. */
    isFull(channelId: string): boolean {
      const channel = channels.get(channelId);
      return channel !== undefined && (channel.line.size > 0 || isFull(channel));
    },

    /**
     * Stands in line, once for each key, to be called back when there is a place. `isLatest`: it takes the place in the
     * line of what had its key before. Where the line is too long, nobody is called back: who has come must come again by
     * itself.
     */
    lineUp(channelId: string, key: string, comeBack: ComeBack, isLatest = true): void {
      const { line } = channelOf(channelId);
      if (line.has(key) ? isLatest : line.size < limits.inLineMax) line.set(key, comeBack);
      callBack(channelId);
    },
  };
}

export type ChannelSlots = ReturnType<typeof createChannelSlots>;

function close(channel: Channel, invitation: Invitation): void {
  invitation.isOpen = false;
  channel.invited -= 1;
}
