import type { ReceiveRequest } from '#gateways/journey.ts';
import type { createSendMessage } from './send-message.ts';

/** Keeps what a person has asked a gateway for as something to be sent, so that it is not lost, and done once. */
export function createReceiveRequest(sendMessage: ReturnType<typeof createSendMessage>): ReceiveRequest {
  return async (at, { kind: _kind, ...request }) => {
    const { outcome } = await sendMessage(at, { ...request, role: 'system' });
    return outcome === 'accepted' ? 'received' : 'duplicate';
  };
}
