import type { Config } from '#config/config.ts';
import { AppError } from '#domain/errors.ts';
import type { Logger } from '#kernel/logger.ts';
import { ensureWidgetBuilt, widgetDirectory } from '../../web/widget/build.ts';
import { createApp } from '../app.ts';
import { answerOperator } from './answer-operator.ts';
import { describeStart } from './banner.ts';
import { applyDemoIfEmpty } from './demo.ts';
import { linkToWelcome } from './first-sign-in.ts';
import { firstSignal } from './first-signal.ts';
import { acceptHandOver } from './hand-over.ts';

/** Runs until a signal says stop. A second signal stops at once. */
export async function runService(config: Config, logger: Logger, startedAt: number): Promise<0 | 1> {
  const stopped = firstSignal();
  // Both take seconds the first time, and each leaves the other a core.
  const widget = config.roles.has('api') ? ensureWidgetBuilt() : Promise.resolve(false);
  widget.catch(() => {}); // awaited once there is an app to close
  const app = await createApp(config, logger, widgetDirectory);
  try {
    await widget;
    const embedded = config.database.kind === 'embedded';
    const isNew = embedded && (await applyDemoIfEmpty(app));
    const { port } = await app.start();
    const control = embedded
      ? await acceptHandOver(config.dataDir, (request) =>
          answerOperator({ config, storage: app.storage, url: `http://localhost:${port}` }, request),
        )
      : undefined;
    logger.info({ port, roles: [...config.roles] }, 'ready');
    if (embedded || process.stdout.isTTY) {
      const readyInMs = performance.now() - startedAt;
      const adminLink = await linkToWelcome(config, app.storage, port);
      console.log(await describeStart(config, app.storage, { port, isNew, readyInMs, adminLink }));
    }
    const signal = await stopped;
    logger.info({ signal }, 'stopping');
    await control?.close();
    return 0;
  } catch (error) {
    logger.debug({ err: error }, 'the start failed');
    throw explainListenFailure(error, config);
  } finally {
    await app.close();
    logger.info({}, 'stopped');
  }
}

class ListenError extends AppError<'cannot_listen'> {
  override readonly name = 'ListenError';

  constructor(message: string) {
    super('cannot_listen', message);
  }
}

function explainListenFailure(error: unknown, config: Config): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE')
    return new ListenError(
      `PORT ${config.port.number} is in use by another program; choose another PORT, or leave it out to get the next free one.`,
    );
  if (code === 'EADDRNOTAVAIL')
    return new ListenError(`HOST ${config.host} is not an address of this machine.`);
  if (code === 'EACCES')
    return new ListenError(
      `PORT ${config.port.number} needs rights that this user does not have; choose one above 1023.`,
    );
  return error;
}
