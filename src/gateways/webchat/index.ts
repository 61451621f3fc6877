import type { LiveUpdates } from '#events/live.ts';
import type { Gateway } from '../gateway.ts';

/**
 * The web chat's way out. The transcript itself is what the visitor reads, so sending means telling the open pages that
 * it has grown; a page that is closed reads it when it comes back. Sending twice shows nothing twice.
 */
export function createWebChatGateway(live: LiveUpdates): Gateway {
  return {
    platform: 'webchat',
    capabilities: { streaming: 'preview' },
    async send(channel, message) {
      live.publish(
        { tenantId: channel.tenantId, conversationId: message.conversationId },
        { kind: 'changed' },
      );
      return { externalIds: [message.messageId] };
    },
  };
}
