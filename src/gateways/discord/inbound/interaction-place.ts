import type { InboundParticipant } from '../../gateway.ts';
import { writePlace } from '../places.ts';
import { type Fields, fieldsOf, idOf, textOf, tokenOf } from './payload.ts';

/** Who did something where, and how it is answered. */
export type Spoken = {
  interactionId: string;
  applicationId: string;
  token: string;
  guild: string | undefined;
  /** The channel. */
  at: string;
  /** As conversations are named. */
  place: string;
  participant: InboundParticipant;
};

const threadTypes: ReadonlySet<unknown> = new Set([10, 11, 12]);

/** Announcement, public and private threads. */
export function isThreadType(type: unknown): boolean {
  return threadTypes.has(type);
}

export function spokenOf(fields: Fields): Spoken | undefined {
  const interactionId = tokenOf(fields['id']);
  const applicationId = idOf(fields['application_id']);
  const token = tokenOf(fields['token']);
  const at = idOf(fields['channel_id']) ?? idOf(fieldsOf(fields['channel'])['id']);
  const person = personOf(fields);
  const user = idOf(person['id']);
  if (!interactionId || !applicationId || !token || !at || !user) return undefined;
  const guild = idOf(fields['guild_id']);
  const name =
    textOf(fieldsOf(fields['member'])['nick']) ?? textOf(person['global_name']) ?? textOf(person['username']);
  return {
    ...{ interactionId, applicationId, token, guild, at },
    place: placeOf(fields, at, user, guild),
    participant: { externalId: user, verified: true, profile: { ...(name && { name }) } },
  };
}

/** In servers a `member`, elsewhere a `user`. */
export function personOf(fields: Fields): Fields {
  const { user } = fieldsOf(fields['member']);
  return fieldsOf(user ?? fields['user']);
}

function placeOf(fields: Fields, at: string, user: string, guild: string | undefined): string {
  if (guild === undefined) return writePlace({ kind: 'direct', user });
  return isThreadType(fieldsOf(fields['channel'])['type'])
    ? writePlace({ kind: 'thread', channel: at })
    : writePlace({ kind: 'command', channel: at, user });
}
