import type { TeamsPart } from './compose-parts.ts';

/** What streams of this process have ended with: a message that says it all already need not be edited. */
export type ShownTexts = {
  remember(externalId: string, text: string): void;
  is(externalId: string, part: TeamsPart): boolean;
};

const textsMax = 1_000;

export function createShownTexts(): ShownTexts {
  const texts = new Map<string, string>();
  return {
    remember(externalId, text) {
      texts.set(externalId, text);
      const [oldest] = texts.keys();
      if (texts.size > textsMax && oldest !== undefined) texts.delete(oldest);
    },
    is: (externalId, { text, attachments }) => attachments.length === 0 && texts.get(externalId) === text,
  };
}
