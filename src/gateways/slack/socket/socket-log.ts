import { LogLevel, type SocketModeOptions } from '@slack/socket-mode';
import type { Logger } from '#kernel/logger.ts';

type SdkLogger = NonNullable<SocketModeOptions['logger']>;

const textLengthMax = 200;

/**
 * What the SDK has to say, for those who look for a fault. Its debug lines hold whole messages and are left out, and so
 * is everything about the address of a socket, which is as good as a token.
 */
export function createSocketLog(logger: Logger): SdkLogger {
  const pass = (...said: unknown[]) => {
    const text = said
      .map(String)
      .join(' ')
      .replaceAll(/wss?:\/\/\S+/g, 'wss://…');
    logger.debug({ reason: text.slice(0, textLengthMax) }, 'the Slack SDK says');
  };
  const ignore = () => {};
  return {
    debug: ignore,
    info: ignore,
    warn: pass,
    error: pass,
    setLevel: ignore,
    getLevel: () => LogLevel.ERROR,
    setName: ignore,
  };
}
