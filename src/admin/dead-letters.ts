import { channelPlatforms } from '@swarmgate/contract/channels/catalog.ts';
import type { deadLetterOperations } from '@swarmgate/contract/rest/dead-letters.ts';
import {
  type DeadLetter,
  type DeadLetterChoice,
  type DeadLetterRow,
  describeRow,
  findDeadLetters,
} from '#conversations/dead-letters/dead-letter.ts';
import { purgeDeadLetters } from '#conversations/dead-letters/purge-dead-letters.ts';
import { replayDeadLetters } from '#conversations/dead-letters/replay-dead-letters.ts';
import { isUuid, type Uuid } from '#domain/ids.ts';
import type { Unit } from '#tenancy/scopes.ts';
import { pageOf, readCursor } from './cursor.ts';
import type { HandlersOf } from './handler.ts';

type Given = Partial<Record<'kind' | 'code' | 'before', string | undefined>> & {
  kind?: DeadLetter['kind'] | undefined;
  ids?: readonly string[] | undefined;
};

export const deadLetterHandlers: HandlersOf<typeof deadLetterOperations> = {
  listDeadLetters: {
    async inTenant({ query: { cursor, limit, ...given } }, unit) {
      const behind = readCursor(cursor, readPlace);
      const rows = await findDeadLetters(unit, {
        ...choiceOf(given),
        ...(behind && { behind }),
        limit: limit + 1,
      });
      return { body: pageOf(rows, limit, writePlace, (row) => show(describeRow(row))) };
    },
  },
  replayDeadLetters: {
    inTenant: ({ body: { limit, ...given } }, unit) =>
      act(replayDeadLetters, unit, { ...choiceOf(given), limit }),
  },
  purgeDeadLetters: {
    inTenant: ({ body: { limit, ...given } }, unit) =>
      act(purgeDeadLetters, unit, { ...choiceOf(given), limit }),
  },
};

async function act(
  how: (unit: Unit, choice: DeadLetterChoice) => Promise<DeadLetter[]>,
  unit: Unit,
  choice: DeadLetterChoice,
) {
  const items = (await how(unit, choice)).map(show);
  return {
    body: { items },
    detail: { count: items.length, ids: items.slice(0, idsToldMax).map(({ id }) => id) },
  };
}

/** What the audit trail names of many. */
const idsToldMax = 100;

function choiceOf({ kind, code, before, ids }: Given): Omit<DeadLetterChoice, 'limit'> {
  return {
    ...(kind !== undefined && { kind }),
    ...(code !== undefined && { code }),
    ...(before !== undefined && { before }),
    ...(ids !== undefined && { ids }),
  };
}

function show({ platform, ...letter }: DeadLetter) {
  const known = channelPlatforms.find((name) => name === platform);
  if (!known) throw new TypeError(`"${platform}" is no platform.`);
  return { ...letter, platform: known };
}

function writePlace({ at, id }: DeadLetterRow): string {
  return `${at.toISOString()} ${id}`;
}

function readPlace(place: unknown): { at: string; id: Uuid } | undefined {
  const [at = '', id = ''] = typeof place === 'string' ? place.split(' ') : [];
  // Of years that the database has too.
  return isUuid(id) && /^20\d\d-/.test(at) && !Number.isNaN(Date.parse(at))
    ? { at: new Date(at).toISOString(), id }
    : undefined;
}
