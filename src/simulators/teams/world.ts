import { randomUUID } from 'node:crypto';

/** A bot as Microsoft knows it. */
export type App = {
  appId: string;
  password: string;
  name: string;
  /** Where a single-tenant bot is registered; absent for a multi-tenant one. */
  homeTenant?: string | undefined;
  /** Where its activities go: may be set later. */
  messagesUrl?: string | undefined;
};

export type Scope = 'personal' | 'groupChat' | 'channel';

/** A chat, a group or a channel, with its threads. */
export type Conversation = {
  id: string;
  tenant: string;
  scope: Scope;
  /** Bots that are in it. */
  apps: Set<string>;
  /** The person of a personal chat. */
  user?: string;
  team?: string;
  /** By people who want nothing from a bot. */
  blockedApps: Set<string>;
};

/** What a bot has said; `versions` are its texts, oldest first. */
export type Post = {
  id: string;
  conversationId: string;
  /** The thread in a channel: the id with `;messageid=`. */
  address: string;
  appId: string;
  activity: Readonly<Record<string, unknown>>;
  text: string;
  versions: string[];
  isStreaming: boolean;
  isDeleted: boolean;
};

export type World = ReturnType<typeof createWorld>;

/** What there is: tenants, bots, conversations, posts. */
export function createWorld(now: () => number) {
  const apps = new Map<string, App>();
  const conversations = new Map<string, Conversation>();
  const posts: Post[] = [];
  const directs = new Map<string, Conversation>();
  let lastId = 0;

  const world = {
    apps,
    conversations,
    posts,

    /** Ids of messages are times, and no two are alike. */
    nextId(): string {
      lastId = Math.max(lastId + 1, now());
      return String(lastId);
    },

    addApp(app: App): App {
      apps.set(app.appId, app);
      return app;
    },

    /** A group or a channel; a channel's id says that it is one. */
    addConversation(given: { tenant: string; scope: 'groupChat' | 'channel'; id?: string; team?: string }) {
      const suffix = given.scope === 'channel' ? '@thread.tacv2' : '@thread.v2';
      const id = given.id ?? `19:${randomUUID().replaceAll('-', '')}${suffix}`;
      const conversation: Conversation = {
        ...{ id, tenant: given.tenant, scope: given.scope, apps: new Set(), blockedApps: new Set() },
        ...(given.scope === 'channel' && { team: given.team ?? `19:${randomUUID()}@thread.tacv2` }),
      };
      conversations.set(id, conversation);
      return conversation;
    },

    /** The chat of a person with a bot: there is one, whoever begins it. */
    direct(appId: string, tenant: string, user: string): Conversation {
      const key = `${appId}/${tenant}/${user}`;
      const known = directs.get(key);
      if (known) return known;
      const conversation: Conversation = {
        ...{ id: `a:${randomUUID()}`, tenant, scope: 'personal', user },
        ...{ apps: new Set([appId]), blockedApps: new Set() },
      };
      directs.set(key, conversation);
      conversations.set(conversation.id, conversation);
      return conversation;
    },

    postsIn(conversationId: string): Post[] {
      const [base = ''] = conversationId.split(';');
      return posts.filter(
        (post) =>
          !post.isDeleted &&
          (conversationId.includes(';') ? post.address === conversationId : post.conversationId === base),
      );
    },
  };
  return world;
}
