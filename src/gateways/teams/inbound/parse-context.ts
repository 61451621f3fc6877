import type { TeamsReplyPolicy } from '@swarmgate/contract/channels/teams.ts';
import type { InboundParticipant } from '../../gateway.ts';
import { baseOf, type TeamsPlace, type TeamsScope } from '../places.ts';
import type { TeamsTexts } from '../texts.ts';
import { type Activity, tenantOf } from './activity.ts';

/** What stands in every activity that is about something, checked once. */
export type Context = {
  activity: Activity;
  tenant: string;
  scope: TeamsScope;
  conversationId: string;
  serviceUrl: string;
  user: string;
  replies: TeamsReplyPolicy;
  texts: TeamsTexts;
};

/** `undefined`: something that identifies it is missing. */
export function contextOf(
  activity: Activity,
  options: Pick<Context, 'replies' | 'texts'>,
): Context | undefined {
  const tenant = tenantOf(activity);
  const conversationId = activity.conversation?.id;
  const user = activity.from?.id;
  const { serviceUrl } = activity;
  if (!tenant || !conversationId || !user || !serviceUrl) return undefined;
  return { activity, tenant, conversationId, user, serviceUrl, scope: scopeOf(activity), ...options };
}

function scopeOf({ conversation }: Activity): TeamsScope {
  const { conversationType, isGroup, id = '' } = conversation ?? {};
  if (conversationType === 'personal' || conversationType === 'groupChat' || conversationType === 'channel')
    return conversationType;
  if (baseOf(id).endsWith('@thread.tacv2')) return 'channel';
  return isGroup ? 'groupChat' : 'personal';
}

export function placeOfContext({ scope, user, conversationId }: Context): TeamsPlace {
  return scope === 'personal' ? { kind: 'person', user } : { kind: 'conversation', id: conversationId };
}

/** Whoever is named by a verified activity, Teams has let in. Whose tenant is another one is a guest. */
export function participantOf({ activity, tenant, user }: Context): InboundParticipant {
  const { name, aadObjectId } = activity.from ?? {};
  const home = activity.channelData?.tenant?.id;
  return {
    externalId: user,
    verified: true,
    profile: {
      ...(name && { name }),
      ...(aadObjectId && { aadObjectId }),
      ...(home !== undefined && home !== tenant && { tenant: home }),
    },
  };
}

/** Where it was said and by whom, for whoever looks at a message later. */
export function detailsOf({
  activity,
  tenant,
  scope,
  conversationId,
  user,
}: Context): Record<string, unknown> {
  const { id, replyToId, channelData } = activity;
  const { team, channel } = channelData ?? {};
  return {
    ...{ tenant, scope, conversationId, user },
    ...(id && { activityId: id }),
    ...(replyToId && { replyToId }),
    ...(team?.id && { team: team.id }),
    ...(channel?.id && { channel: channel.id }),
  };
}

/** Bots are not answered: two of them would never stop. */
export function isFromBot({ from }: Activity): boolean {
  return from?.role === 'bot' || from?.id?.startsWith('28:') === true;
}
