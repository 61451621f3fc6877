import { newId, type Uuid } from '#domain/ids.ts';
import type { ChannelPlace } from '#gateways/journey.ts';
import type { WakeQueue } from '#queue/job.ts';
import type { Scopes } from '#tenancy/scopes.ts';
import { storableJson, storableText } from './storable.ts';

export type SendMessageParts = { scopes: Scopes; queue: WakeQueue };

/** Something to be said of our own accord. */
export type NewMessage = {
  /** Identifies it: sent again under the same key, it goes out once. */
  key: string;
  conversationExternalId: string;
  participantExternalId: string;
  role: 'agent' | 'operator' | 'system';
  /** Markdown. */
  text: string;
  content?: Readonly<Record<string, unknown>>;
};

export type AcceptedMessage = { outcome: 'accepted' | 'duplicate'; conversationId: Uuid; messageId: Uuid };

export type SendMessage = (at: ChannelPlace, message: NewMessage) => Promise<AcceptedMessage>;

type Sent = AcceptedMessage & { weight: number };

/**
 * Says something without being asked: begins the conversation if there is none, and leaves the rest to the delivery.
 * Whether it may go out (consent, quiet hours, a platform's window) is decided then, and the refusal is recorded.
 */
export function createSendMessage({ scopes, queue }: SendMessageParts): SendMessage {
  return async (at, message) => {
    const [row] = await scopes.call<{ send_message_v1: Sent }>('swarmgate.send_message_v1', [
      at.tenantId,
      at.channelId,
      storableText(`send/${message.key}`),
      newId(),
      storableText(message.conversationExternalId),
      newId(),
      storableText(message.participantExternalId),
      newId(),
      newId(),
      message.role,
      storableText(message.text),
      storableJson(message.content ?? {}),
    ]);
    if (!row) throw new TypeError('The database answered nothing.');
    const { weight, ...accepted } = row.send_message_v1;
    const place = { tenantId: at.tenantId, conversationId: accepted.conversationId };
    // Not awaited: the delivery is committed, and the sweeper finds it if the wake-up is lost.
    if (accepted.outcome === 'accepted') void queue.wake({ kind: 'delivery', ...place, weight });
    return accepted;
  };
}
