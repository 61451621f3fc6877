import { AppError } from '#domain/errors.ts';
import type { Uuid } from '#domain/ids.ts';
import type { Gateway, OpenChannel, Platform } from '#gateways/gateway.ts';
import type { AcceptedMessage, SendMessage } from './send-message.ts';

export type WriteFirstParts = {
  openChannel: (tenantId: Uuid, channelId: Uuid) => Promise<OpenChannel | undefined>;
  gatewayOf: (platform: Platform) => Gateway | undefined;
  sendMessage: SendMessage;
};

export type FirstMessage = {
  tenantId: Uuid;
  channelId: Uuid;
  /** In the platform's words: a number, `@U1`, `#42`. */
  address: string;
  /** Identifies it: sent again under the same key, it goes out once. */
  key: string;
  /** Markdown. */
  text: string;
};

export type WriteFirst = (message: FirstMessage) => Promise<AcceptedMessage>;

/** The platform knows no such address, or nobody can be written to there before they have written. */
export class NoSuchAddressError extends AppError<'no_such_address'> {
  override readonly name = 'NoSuchAddressError';

  constructor(platform: Platform) {
    super(
      'no_such_address',
      platform === 'webchat'
        ? 'Visitors of a web chat begin their conversations themselves; answer one instead.'
        : `That is no address that this ${platform} channel can write to (docs/api.md lists their forms).`,
    );
  }
}

class NoSuchChannelError extends AppError<'no_such_channel'> {
  override readonly name = 'NoSuchChannelError';

  constructor() {
    super('no_such_channel', 'There is no such channel.');
  }
}

/**
 * Begins a conversation from our side, or goes on with the one that is there. Whether it may go out (consent, quiet hours,
 * a platform's window) is decided by the delivery. @throws {NoSuchAddressError}
 */
export function createWriteFirst({ openChannel, gatewayOf, sendMessage }: WriteFirstParts): WriteFirst {
  return async ({ tenantId, channelId, address, key, text }) => {
    const channel = await openChannel(tenantId, channelId);
    if (!channel) throw new NoSuchChannelError();
    const { platform } = channel;
    const reached = gatewayOf(platform)?.readAddress?.(channel, address);
    if (!reached) throw new NoSuchAddressError(platform);
    return sendMessage({ tenantId, channelId, platform }, { ...reached, key, role: 'operator', text });
  };
}
