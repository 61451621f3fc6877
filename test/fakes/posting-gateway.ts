import type { Gateway, ReplyStream } from '#gateways/gateway.ts';
import { GatewayError } from '#gateways/gateway-error.ts';
import type { PlatformCall } from './posting-platform.ts';

/**
 * The gateway of the posting platform: an answer in the making is a post that is edited. It stands in the web chat's
 * place, so that messages come in over the web chat wire and answers go out as posts.
 */
export function postingGateway(platformUrl: string): Gateway {
  const post = (text: string, delivery?: PlatformCall['delivery']) =>
    callPlatform('POST', platformUrl, { text, delivery });
  const edit = (id: string, text: string, delivery?: PlatformCall['delivery']) =>
    callPlatform('PUT', `${platformUrl}/${id}`, { text, delivery });

  return {
    platform: 'webchat',
    capabilities: { streaming: 'post' },

    async send(_channel, { text, externalIds: [known], deliveryId, attempt, interrupted }) {
      const delivery = { id: deliveryId, attempt, interrupted };
      const id = known === undefined ? await post(text, delivery) : await edit(known, text, delivery);
      return { externalIds: [id] };
    },

    async openStream(_channel, { externalIds }, keepExternalId): Promise<ReplyStream> {
      let [id] = externalIds;
      let latest: string | undefined;
      let writing: Promise<void> | undefined;

      // One call at a time, each with the latest text.
      const write = async () => {
        for (let text = latest; text !== undefined; text = latest) {
          latest = undefined;
          if (id === undefined) {
            id = await post(text);
            await keepExternalId(1, id);
          } else await edit(id, text);
        }
      };
      return {
        show(text) {
          latest = text;
          writing ??= write().finally(() => {
            writing = undefined;
          });
          writing.catch(() => {}); // close() looks at it
        },
        async close() {
          await writing;
        },
      };
    },
  };
}

async function callPlatform(method: 'POST' | 'PUT', url: string, body: object): Promise<string> {
  const response = await fetch(url, { method, body: JSON.stringify(body) }).catch((cause: unknown) => {
    throw new GatewayError('unavailable', 'The platform cannot be reached.', { cause });
  });
  const { id, retryAfterMs } = (await response.json()) as { id: string; retryAfterMs?: number };
  switch (response.status) {
    case 200:
      return id;
    case 429:
      throw new GatewayError(
        'rate_limited',
        'Too many calls.',
        retryAfterMs === undefined ? {} : { retryAfterMs },
      );
    case 503:
      throw new GatewayError('unavailable', 'The platform is down.');
    case 504:
      throw new GatewayError('unavailable', 'The platform took too long.', { mayHaveArrived: true });
    case 403:
      throw new GatewayError('credentials_refused', 'The token was revoked.');
    case 404:
      throw new GatewayError('recipient_gone', 'The conversation is gone.');
    default:
      throw new GatewayError('message_refused', 'The platform does not take this message.');
  }
}
