import { splitPassages } from '#agents/knowledge/split-passages.ts';
import type { Config } from '#config/config.ts';
import { createLogger } from '#kernel/logger.ts';
import { apply } from '#tenancy/apply/apply.ts';
import { closeSimulatedChannel, openSimulatedChannel } from '#tenancy/simulated-channel.ts';
import { openStorage, type Storage } from '../storage.ts';
import { operateDeadLetters } from './dead-letters.ts';
import { runDoctor } from './doctor.ts';
import { type HandOverAnswers, type HandOverRequest, handOver } from './hand-over.ts';
import { makeInstallLink } from './install-link.ts';

/** What an operator asks for, done on open data: by the service itself, or by a command that has opened them. */
export function answerOperator(
  { config, storage, url }: { config: Config; storage: Storage; url: string },
  request: HandOverRequest,
): Promise<unknown> {
  switch (request.command) {
    case 'apply':
      return apply({ ...storage, splitPassages }, request.plan, { dryRun: request.dryRun });
    case 'doctor':
      return runDoctor(config, storage);
    case 'install-link':
      return makeInstallLink(storage, request, {
        publicUrl: config.publicUrl ?? url,
        hasSharedApp: config.platforms.slack.app?.clientId !== undefined,
      });
    case 'open-simulation':
      return openSimulatedChannel(storage, request.simulated).then(({ key }) => ({ key, url }));
    case 'dead-letters':
      return operateDeadLetters(storage, request.wish);
    case 'close-simulation':
      return closeSimulatedChannel(storage, request);
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
  }
  const storage = await openStorage(config, createLogger('warn'));
  try {
    const url = `http://localhost:${config.port.number}`;
    return (await answerOperator({ config, storage, url }, request)) as HandOverAnswers[Command];
  } finally {
    await storage.close();
  }
}
