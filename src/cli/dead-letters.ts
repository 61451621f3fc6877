import {
  type DeadLetter,
  type DeadLetterChoice,
  describeRow,
  findDeadLetters,
} from '#conversations/dead-letters/dead-letter.ts';
import { purgeDeadLetters } from '#conversations/dead-letters/purge-dead-letters.ts';
import { replayDeadLetters } from '#conversations/dead-letters/replay-dead-letters.ts';
import { type ShownDeadLetter, showDeadLetter } from '#conversations/dead-letters/show-dead-letter.ts';
import { enterTenant } from '#tenancy/enter-tenant.ts';
import type { Storage } from '../storage.ts';

/** What an operator may want of a tenant's dead letters. */
export type DeadLettersWish = { tenant: string } & (
  | { act: 'list' | 'replay' | 'purge'; choice: DeadLetterChoice }
  | { act: 'show'; id: string; withText: boolean }
);

/** Does it in one transaction of the tenant. */
export function operateDeadLetters(
  { scopes }: Pick<Storage, 'scopes'>,
  wish: DeadLettersWish,
): Promise<DeadLetter[] | ShownDeadLetter> {
  return scopes.inPlatform<DeadLetter[] | ShownDeadLetter>(async (unit) => {
    await enterTenant(unit, wish.tenant);
    switch (wish.act) {
      case 'list':
        return (await findDeadLetters(unit, wish.choice)).map(describeRow);
      case 'show':
        return showDeadLetter(unit, wish.id, wish);
      case 'replay':
        return replayDeadLetters(unit, wish.choice);
      case 'purge':
        return purgeDeadLetters(unit, wish.choice);
    }
  });
}
