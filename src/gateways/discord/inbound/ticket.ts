import type { KeyRing } from '#kernel/key-ring.ts';
import type { OpenChannel } from '../../gateway.ts';
import { type Fields, fieldsOf, idOf, textOf, tokenOf } from './payload.ts';

/** What an interaction is answered by, for a quarter of an hour. Its token is a secret: it posts as the bot. */
export type Ticket = { applicationId: string; interactionId: string; token: string };

/** The token lives for 15 minutes; some of that is left for the last call. */
const ticketMs = 14.5 * 60_000;

/** Seals and opens tickets: they stand among a message's content, and open for its channel only. */
export function createTickets(keyRing: KeyRing) {
  const placeOf = ({ tenantId, id }: OpenChannel) => ({
    tenantId,
    table: 'messages',
    column: `${id}/ticket`,
  });
  return {
    seal: (channel: OpenChannel, ticket: Ticket): string =>
      keyRing.seal(JSON.stringify(ticket), placeOf(channel)),

    /** The ticket among the content of a message that is answered; `undefined`: there is none, or it has run out. */
    open(channel: OpenChannel, content: Fields | undefined, nowMs: number): Ticket | undefined {
      const { ticket, askedAt } = fieldsOf(content?.['discord']);
      if (typeof ticket !== 'string' || nowMs - Date.parse(textOf(askedAt) ?? '') > ticketMs)
        return undefined;
      const { applicationId, interactionId, token } = JSON.parse(
        keyRing.open(ticket, placeOf(channel)),
      ) as Fields;
      const [app, interaction, secret] = [idOf(applicationId), tokenOf(interactionId), tokenOf(token)];
      if (app === undefined || interaction === undefined || secret === undefined) return undefined;
      return { applicationId: app, interactionId: interaction, token: secret };
    },
  };
}

export type Tickets = ReturnType<typeof createTickets>;
