import type { WebChatChannel } from '@swarmgate/contract/channels/webchat.ts';
import type { Settings } from '@swarmgate/contract/settings.ts';
import type { ApplyPlan } from '#tenancy/apply/apply-plan.ts';

export type TenantOptions = {
  slug?: string;
  /** The organization's, which is the same for all unless one is named. */
  organization?: string;
  plan?: string;
  /** Turns that may run at once, where the plan's number is not wanted. */
  concurrentConversations?: number;
  settings?: Settings;
  model?: string;
  identity?: NonNullable<WebChatChannel['identity']>;
};

/** The page that tenants of the tests are embedded in. */
export const shopOrigin = 'https://shop.example';

/** Tests write more quickly than people do; the tests of the limits set their own. */
const roomyLimits: Settings = { webchat: { messagesPerMinute: 1_000, sessionsPerMinute: 10_000 } };

/** A plan that makes one tenant with a web chat channel, whose key is `wk_` and the tenant's slug, and one agent. */
export function planTenant({
  slug = 'shop',
  organization = 'acme',
  plan = 'free',
  concurrentConversations,
  settings = roomyLimits,
  model = 'builtin/echo',
  identity,
}: TenantOptions = {}): ApplyPlan {
  const channel = {
    slug: 'site',
    platform: 'webchat' as const,
    key: `wk_${slug}`,
    origins: [shopOrigin],
    ...(identity && { identity }),
  };
  const agent = { slug: 'default', model, instructions: '', settings: {} };
  const tenant = {
    slug,
    name: slug,
    region: 'local',
    settings,
    ...(concurrentConversations !== undefined && { quotas: { concurrentConversations } }),
    channels: [channel],
    agents: [agent],
    knowledge: [],
  };
  return { organizations: [{ slug: organization, name: 'Acme Inc', plan, tenants: [tenant] }] };
}
