import { existsSync } from 'node:fs';
import type { Config } from '#config/config.ts';
import { AppError } from '#domain/errors.ts';
import { createLogger } from '#kernel/logger.ts';
import { type HandOverAnswers, type HandOverRequest, handOver } from './hand-over.ts';

/** Commands that begin an installation where there is none. All others only talk to one, or look at it. */
const makesData: ReadonlySet<HandOverRequest['command']> = new Set(['apply']);

class NoDataError extends AppError<'no_data'> {
  override readonly name = 'NoDataError';

  constructor({ dataDir }: Config) {
    super(
      'no_data',
      `There is no data in ${dataDir}: start the service ("npm start"), or set DATA_DIR to where its data is.`,
    );
  }
}

/**
 * Has a request done by whoever has the data: the embedded database belongs to one process, so if the service runs on it,
 * the service does it.
 */
export async function operate<Command extends HandOverRequest['command']>(
  config: Config,
  request: Extract<HandOverRequest, { command: Command }>,
): Promise<HandOverAnswers[Command]> {
  if (config.database.kind === 'embedded') {
    const answer = await handOver(config.dataDir, request);
    if (answer !== undefined) return answer;
    if (!makesData.has(request.command) && !existsSync(config.database.directory))
      throw new NoDataError(config);
  }
  // The database's drivers and what works on them: not needed where the service has done it.
  const { openStorage } = await import('../storage.ts');
  const { answerOperator } = await import('./answer-operator.ts');
  const storage = await openStorage(config, createLogger('warn'));
  try {
    const url = `http://localhost:${config.port.number}`;
    return (await answerOperator({ config, storage, url }, request)) as HandOverAnswers[Command];
  } finally {
    await storage.close();
  }
}
