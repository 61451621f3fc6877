import { join } from 'node:path';
import type { KeyRing } from '#kernel/key-ring.ts';
import type { Logger } from '#kernel/logger.ts';
import type { Scopes } from '#tenancy/scopes.ts';
import { createCheckpointFile } from './checkpoint-file.ts';
import { checkpointKeys } from './checkpoint-keys.ts';
import { writeCheckpoints } from './write-checkpoints.ts';

export type SealerParts = {
  scopes: Scopes;
  keyRing: KeyRing;
  logger: Logger;
  /** Where the checkpoints are kept. */
  directory: string;
  /** Hears after each look how long the oldest unsealed event has waited. */
  onLag: (seconds: number) => void;
};

export const checkpointFileOf = (directory: string) => join(directory, 'checkpoints.jsonl');

const intervalMs = 1_000;
const checkpointIntervalMs = 60_000;
/** Events that one look seals: what a few of them take is far below the statement's time. */
const batch = 5_000;
const lagSecondsMax = 5;
/** How often a state that lasts is told. */
const warnIntervalMs = 60_000;

/**
 * Seals what was recorded, each second, and writes a checkpoint each minute. Of several schedulers one seals at a time: the
 * database says which. Answers a function that stops it, and waits until what is there is sealed and written down.
 */
export function startAuditSealer(parts: SealerParts): () => Promise<void> {
  const { scopes, keyRing, logger, directory, onLag } = parts;
  const [key] = checkpointKeys(keyRing);
  const file = createCheckpointFile(checkpointFileOf(directory));
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let working = Promise.resolve();
  let checkpointDueAtMs = 0;
  let warnAgainAtMs = 0;

  async function seal(): Promise<void> {
    for (;;) {
      const [look] = await scopes.call<Look>('swarmgate.seal_audit_v1', [batch]);
      if (!look) return;
      onLag(look.lag_seconds);
      warn(look);
      if (!look.has_more) return;
    }
  }

  function warn({ is_rewound: isRewound, lag_seconds: lagSeconds }: Look): void {
    if ((!isRewound && lagSeconds <= lagSecondsMax) || performance.now() < warnAgainAtMs) return;
    warnAgainAtMs = performance.now() + warnIntervalMs;
    if (isRewound)
      logger.error(
        {},
        'the audit trail is not sealed: the database was restored; run SELECT swarmgate.rebase_audit() as its owner',
      );
    else
      logger.warn(
        { delayMs: Math.round(lagSeconds * 1_000) },
        'the audit trail is sealed late: a transaction has been open for long',
      );
  }

  async function work(): Promise<void> {
    await seal();
    if (!key || performance.now() < checkpointDueAtMs) return;
    await writeCheckpoints({ scopes, file, key });
    checkpointDueAtMs = performance.now() + checkpointIntervalMs;
  }

  const workAndTell = () =>
    work().catch((error: unknown) =>
      logger.warn({ err: error }, 'the audit trail was not sealed; the next try follows'),
    );

  const run = () => {
    working = workAndTell().finally(() => {
      if (!stopped) timer = setTimeout(run, intervalMs);
    });
  };
  run();

  return async () => {
    stopped = true;
    clearTimeout(timer);
    await working;
    checkpointDueAtMs = 0;
    await workAndTell();
  };
}

type Look = { is_rewound: boolean; has_more: boolean; lag_seconds: number };
