import type { OpenChannel } from '../../gateway.ts';
import { GatewayError } from '../../gateway-error.ts';
import { appOf, endpointsOf, settingsOf, type TeamsAddresses, type TeamsApp } from '../channel.ts';
import type { AccessTokens } from './access-tokens.ts';
import { type CallKind, describeFailure } from './failures.ts';
import { type Connector, type ConnectorCall, ConnectorFailure } from './sdk.ts';

export type TeamsApiParts = {
  connector: Connector;
  tokens: AccessTokens;
  sharedApp: TeamsApp | undefined;
  addresses: TeamsAddresses;
};

export interface TeamsApi {
  /**
   * Calls the connector as the channel's bot, once. `serviceUrl` is one that a verified activity has brought. Does not
   * begin when `signal` has aborted, and is broken off when it aborts meanwhile. @throws {GatewayError}
   */
  call<Answer>(
    channel: OpenChannel,
    serviceUrl: string,
    kind: CallKind,
    signal: AbortSignal,
    ask: (connector: Connector, call: ConnectorCall) => Promise<Answer>,
  ): Promise<Answer>;
  /** A token of the channel's bot. @throws {GatewayError} */
  token(channel: OpenChannel, signal: AbortSignal): Promise<string>;
}

const callMsMax = 15_000;
const sharedFaultRetryMs = 60_000;

export function createTeamsApi({ connector, tokens, sharedApp, addresses }: TeamsApiParts): TeamsApi {
  const token = (channel: OpenChannel, signal: AbortSignal) =>
    tokens.get(appOf(channel, sharedApp), endpointsOf(channel, addresses), signal).catch((error: unknown) => {
      throw withChannelFault(error, channel);
    });

  return {
    token,
    async call(channel, serviceUrl, kind, signal, ask) {
      const attempt = async () => {
        const given = await token(channel, signal);
        if (signal.aborted)
          throw new GatewayError('not_now', 'There was no time left to call Teams.', { retryAfterMs: 0 });
        const until = AbortSignal.any([signal, AbortSignal.timeout(callMsMax)]);
        return ask(connector, { serviceUrl, token: given, signal: until }).catch((error: unknown) => {
          if (!(error instanceof ConnectorFailure)) throw error;
          if (error.status === 401)
            tokens.forget(appOf(channel, sharedApp), endpointsOf(channel, addresses), given);
          throw describeFailure(error, kind);
        });
      };
      return attempt()
        .catch((error: unknown) => {
          // A token may be revoked before its time: once more with a new one. Nothing was taken by the old one.
          if (!(error instanceof GatewayError) || error.code !== 'gateway_credentials_refused') throw error;
          if (error.channelFault !== undefined) throw error;
          return attempt();
        })
        .catch((error: unknown) => {
          throw withChannelFault(error, channel);
        });
    },
  };
}

// The shared bot is the operator's, and many channels': they wait until it is mended.
function withChannelFault(error: unknown, channel: OpenChannel): unknown {
  if (!(error instanceof GatewayError) || error.code !== 'gateway_credentials_refused') return error;
  if (error.channelFault !== undefined) return error;
  const { appId } = settingsOf(channel);
  if (appId === undefined)
    return new GatewayError('not_now', error.message, { retryAfterMs: sharedFaultRetryMs });
  return new GatewayError('credentials_refused', error.message, {
    ...(error.platformCode !== undefined && { platformCode: error.platformCode }),
    channelFault: `Microsoft does not take the bot ${appId} with the password that it was given (${error.platformCode ?? 'no code'}). Make a new client secret in Entra, check appTenant, and apply the file again.`,
  });
}
