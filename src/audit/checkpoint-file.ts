import { createReadStream } from 'node:fs';
import { mkdir, open, stat, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hashLine, readCheckpoint } from './checkpoint.ts';

/** Where the last line of a trail stands. */
export type LastLine = { number: number; lineHash: string };

/**
 * The file that checkpoints are appended to. Another scheduler on this machine may write to it too, and an operator may move
 * it away: before each append what is new in it is read. Callers see to it that one of them is here at a time.
 */
export function createCheckpointFile(path: string) {
  const last = new Map<string, LastLine>();
  let readBytes = 0;

  async function catchUp(): Promise<void> {
    const { size } = await stat(path).catch(() => ({ size: 0 }));
    // Moved away or cut: what is left is read anew, and what follows goes on behind what was written.
    if (size < readBytes) readBytes = 0;
    if (size === readBytes) return;
    let rest = '';
    for await (const chunk of createReadStream(path, { start: readBytes, encoding: 'utf8' })) {
      const lines = `${rest}${chunk}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) note(line);
    }
    readBytes = size - Buffer.byteLength(rest);
    // What a process that was killed has not written to its end.
    if (rest !== '') await truncate(path, readBytes);
  }

  function note(line: string): void {
    const checkpoint = readCheckpoint(line);
    if (checkpoint) last.set(checkpoint.trail, { number: checkpoint.number, lineHash: hashLine(line) });
  }

  return {
    /** The last line of each trail, by the trail's name. */
    async lastLines(): Promise<ReadonlyMap<string, LastLine>> {
      await catchUp();
      return last;
    },

    /** Resolves when they are on the disk. */
    async append(lines: readonly string[]): Promise<void> {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      const text = lines.map((line) => `${line}\n`).join('');
      const file = await open(path, 'a', 0o600);
      try {
        await file.appendFile(text);
        await file.sync();
      } finally {
        await file.close();
      }
      for (const line of lines) note(line);
      readBytes += Buffer.byteLength(text);
    },
  };
}

export type CheckpointFile = ReturnType<typeof createCheckpointFile>;
