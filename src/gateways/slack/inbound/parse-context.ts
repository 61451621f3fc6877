import type { SlackReplyPolicy } from '@swarmgate/contract/channels/slack.ts';
import type { InboundParticipant } from '../../gateway.ts';
import { type Fields, fieldsOf, textOf } from './payload-fields.ts';

/** What is known about a payload before it is read. */
export type ParseContext = {
  /** The workspace of the installation, or its enterprise: see `installationOf`. */
  team: string;
  /** The users that our bot is; empty when neither the payload nor the installation says. */
  botUserIds: ReadonlySet<string>;
  replies: SlackReplyPolicy;
};

/** Direct messages stand in channels of their own, whose ids begin with D. */
export function isDirect(channel: string, channelType?: unknown): boolean {
  return channelType === 'im' || channel.startsWith('D');
}

/** Whoever is named by a verified payload, Slack has let in. */
export function participantOf(
  user: string,
  profile: { name: string | undefined; team: string | undefined },
): InboundParticipant {
  const { name, team } = profile;
  return { externalId: user, verified: true, profile: { ...(name && { name }), ...(team && { team }) } };
}

/** `user` as interactions have it. */
export function participantOfInteraction(user: string, fields: Fields, team: string): InboundParticipant {
  const { name, username, team_id: home } = fieldsOf(fields['user']) as Record<string, unknown>;
  return participantOf(user, { name: textOf(name) ?? textOf(username), team: textOf(home) ?? team });
}
