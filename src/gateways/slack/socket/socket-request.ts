import type { OpenChannel, RawRequest, Verified, WebhookGateway, WebhookReply } from '../../gateway.ts';
import type { ReceiveWebhook } from '../../receive-webhook.ts';
import type { SocketEndpoint } from './socket-envelope.ts';

/**
 * Takes what came by the socket of an app of the tenant's own, as if it had come by HTTP. Resolves after the commit with
 * what Slack is to be answered.
 */
export async function receiveEnvelope(
  receiveWebhook: ReceiveWebhook,
  gateway: WebhookGateway,
  channel: OpenChannel,
  { endpoint, body }: { endpoint: SocketEndpoint; body: object },
): Promise<WebhookReply | undefined> {
  const request = asRequest(endpoint, body);
  const { reply, afterwards } = await receiveWebhook.receiveVerified(
    gateway,
    { secrets: channel.secrets, own: channel },
    request,
  );
  void afterwards?.();
  return reply;
}

// We opened the socket, with the app's own token, at an address that Slack gave us: what comes by it is Slack's.
function asRequest(endpoint: SocketEndpoint, body: object): Verified<RawRequest> {
  const request: RawRequest = {
    method: 'POST',
    urls: [],
    endpoint,
    headers: {},
    body: Buffer.from(writeBody(endpoint, body)),
  };
  return request as Verified<RawRequest>;
}

function writeBody(endpoint: SocketEndpoint, body: object): string {
  switch (endpoint) {
    case 'events':
      return JSON.stringify(body);
    case 'interactions':
      return new URLSearchParams({ payload: JSON.stringify(body) }).toString();
    case 'commands':
      return new URLSearchParams(
        Object.entries(body).map(([name, value]) => [name, String(value)] as [string, string]),
      ).toString();
  }
}
