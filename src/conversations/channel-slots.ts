import { GatewayError } from '#gateways/gateway-error.ts';

/** How many sends of one channel are at work at once in a process, and how many more may wait for them. */
const atWorkMax = 16;
const waitingMax = 8;
const waitMsMax = 2_000;

/**
 * Bounds what one channel's deliveries hold of a process: while its platform is slow or down, each of them holds its
 * place for as long as the platform takes to say nothing.
 */
export function createChannelSlots(limits = { atWorkMax, waitingMax, waitMsMax }) {
  const channels = new Map<string, { atWork: number; waiting: (() => void)[] }>();

  async function enter(channelId: string): Promise<void> {
    const channel = channels.get(channelId) ?? { atWork: 0, waiting: [] };
    channels.set(channelId, channel);
    if (channel.atWork < limits.atWorkMax) {
      channel.atWork += 1;
      return;
    }
    if (channel.waiting.length >= limits.waitingMax) throw tooBusy();
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        channel.waiting.splice(channel.waiting.indexOf(come), 1);
        reject(tooBusy());
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
    const channel = channels.get(channelId);
    if (!channel) return;
    const next = channel.waiting.shift();
    if (next) next();
    else channel.atWork -= 1;
    if (channel.atWork === 0) channels.delete(channelId);
  }

  return {
    /** Does some work in the name of a channel. @throws {GatewayError} `not_now` when its places stay taken */
    async within<Result>(channelId: string, work: () => Promise<Result>): Promise<Result> {
      await enter(channelId);
      try {
        return await work();
      } finally {
        leave(channelId);
      }
    },
  };
}

export type ChannelSlots = ReturnType<typeof createChannelSlots>;

// How long to wait is left to the delivery: longer each time.
function tooBusy(): GatewayError {
  return new GatewayError('not_now', 'The channel’s platform is slow, and takes up all of its places.');
}
