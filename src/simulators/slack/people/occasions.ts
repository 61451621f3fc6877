import type { Delivery } from '../deliver.ts';
import type { Json } from '../json.ts';
import type { Stage } from '../stage.ts';
import type { Manner, Teller } from './tell.ts';

/** What people open, and what administrators do. */
export function createOccasions(stage: Stage, teller: Teller) {
  const { world, installations } = stage;
  return {
    async openHome(
      teamId: string,
      opening: { user: string; tab?: 'home' | 'messages' } & Manner,
    ): Promise<Delivery[]> {
      const { user, tab = 'home' } = opening;
      const actor = teller.actor(teamId, opening.app);
      world.user(teamId, user);
      const channel = world.directChannel(teamId, user, actor.installation.botUserId);
      const published = stage.judge.views.findLast(
        (one) => one.kind === 'home' && one.teamId === teamId && one.user === user,
      );
      const event: Json = {
        type: 'app_home_opened',
        user,
        channel: channel.id,
        tab,
        ...(published && { view: published.view }),
        event_ts: stage.timestamp(),
      };
      return teller.tell(actor, [{ event }], opening);
    },

    /** Opens an assistant's thread in the direct messages with it; `contextChannel`: where the person was. */
    async startAssistantThread(
      teamId: string,
      opening: { user: string; contextChannel?: string } & Manner,
    ): Promise<{ channel: string; threadTs: string; deliveries: Delivery[] }> {
      const { user, contextChannel } = opening;
      const actor = teller.actor(teamId, opening.app);
      const { botUserId, botId, appId } = actor.installation;
      world.user(teamId, user);
      const channel = world.directChannel(teamId, user, botUserId);
      const first = world.addMessage(channel, {
        ts: stage.timestamp(),
        text: 'New Assistant Thread',
        user: botUserId,
        botId,
        appId,
        subtype: 'assistant_app_thread',
      });
      const event = {
        type: 'assistant_thread_started',
        assistant_thread: {
          user_id: user,
          context: contextChannel === undefined ? {} : { channel_id: contextChannel, team_id: teamId },
          channel_id: channel.id,
          thread_ts: first.ts,
        },
        event_ts: stage.timestamp(),
      };
      return {
        channel: channel.id,
        threadTs: first.ts,
        deliveries: await teller.tell(actor, [{ event }], opening),
      };
    },

    /** Removes the app from a workspace, then tells it. */
    async appUninstalled(teamId: string, manner: Manner = {}): Promise<Delivery[]> {
      const actor = teller.actor(teamId, manner.app);
      const { installation } = actor;
      installations.uninstall(installation.appId, installation.teamId ?? installation.enterpriseId ?? '');
      const event = { type: 'app_uninstalled', event_ts: stage.timestamp() };
      return teller.tell(actor, [{ event }], manner);
    },

    /** Ends the bot's tokens, then tells the app. */
    async tokensRevoked(teamId: string, manner: Manner = {}): Promise<Delivery[]> {
      const actor = teller.actor(teamId, manner.app);
      for (const { value } of installations.tokensOf(actor.installation)) installations.revoke(value);
      const tokens = { oauth: [], bot: [actor.installation.botUserId] };
      const event = { type: 'tokens_revoked', tokens, event_ts: stage.timestamp() };
      return teller.tell(actor, [{ event }], manner);
    },

    /** Any event: `member_joined_channel`, or one that the app does not know. */
    async happen(teamId: string, event: Json, manner: Manner = {}): Promise<Delivery[]> {
      const actor = teller.actor(teamId, manner.app);
      return teller.tell(actor, [{ event: { event_ts: stage.timestamp(), ...event } }], manner);
    },
  };
}
