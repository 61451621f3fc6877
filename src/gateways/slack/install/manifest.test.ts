import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { slackManifest } from './manifest.ts';

const httpsUrl = z.url({ protocol: /^https$/ });

/** The documented schema (https://docs.slack.dev/reference/app-manifest), as far as this service uses it; other keys are refused. */
const documented = z.strictObject({
  display_information: z.strictObject({ name: z.string().min(1).max(35), description: z.string().max(140) }),
  features: z.strictObject({
    app_home: z.strictObject({
      home_tab_enabled: z.boolean(),
      messages_tab_enabled: z.boolean(),
      messages_tab_read_only_enabled: z.boolean(),
    }),
    assistant_view: z.strictObject({ assistant_description: z.string().min(1).max(300) }),
    bot_user: z.strictObject({
      display_name: z.string().regex(/^[a-z0-9._-]{1,80}$/),
      always_online: z.boolean(),
    }),
    shortcuts: z
      .array(
        z.strictObject({
          type: z.enum(['global', 'message']),
          name: z.string().min(1).max(24),
          callback_id: z.string().min(1).max(255),
          description: z.string().min(1).max(150),
        }),
      )
      .max(10),
    slash_commands: z
      .array(
        z.strictObject({
          command: z.string().regex(/^\/[a-z]{1,31}$/),
          description: z.string().min(1).max(2_000),
          usage_hint: z.string().max(1_000),
          should_escape: z.boolean(),
          url: httpsUrl.optional(),
        }),
      )
      .max(50),
  }),
  oauth_config: z.strictObject({
    redirect_urls: z.array(httpsUrl).max(1_000).optional(),
    scopes: z.strictObject({ bot: z.array(z.string()).min(1).max(255) }),
  }),
  settings: z.strictObject({
    event_subscriptions: z.strictObject({
      request_url: httpsUrl.optional(),
      bot_events: z.array(z.string()).min(1).max(100),
    }),
    interactivity: z.strictObject({ is_enabled: z.boolean(), request_url: httpsUrl.optional() }),
    org_deploy_enabled: z.boolean(),
    socket_mode_enabled: z.boolean(),
    token_rotation_enabled: z.boolean(),
  }),
});

const publicUrl = 'https://chat.example.com';

/** The scope that Slack asks for each event (docs.slack.dev/reference/events); `undefined`: none. */
const scopeOfEvent: Record<string, string | undefined> = {
  app_home_opened: undefined,
  app_mention: 'app_mentions:read',
  app_uninstalled: undefined,
  assistant_thread_context_changed: 'assistant:write',
  assistant_thread_started: 'assistant:write',
  'message.channels': 'channels:history',
  'message.groups': 'groups:history',
  'message.im': 'im:history',
  'message.mpim': 'mpim:history',
  reaction_added: 'reactions:read',
  reaction_removed: 'reactions:read',
  tokens_revoked: undefined,
};

describe('an app manifest', () => {
  test.each([
    ['the shared app by HTTP', { name: 'Swarmgate', publicUrl, socketMode: false }],
    ['an own app by HTTP', { name: 'Acme Helpdesk', publicUrl, socketMode: false, channelKey: 'ck_acme' }],
    ['an app by a socket', { name: 'Swarmgate', socketMode: true }],
    ['a socket and links', { name: 'Swarmgate', publicUrl, socketMode: true, channelKey: 'ck_acme' }],
    ['the longest name', { name: 'W'.repeat(35), publicUrl, socketMode: false }],
    ['a name without Latin letters', { name: 'Ответы', publicUrl, socketMode: false }],
  ])('has the form that Slack documents: %s', (_, options) => {
    expect(documented.safeParse(slackManifest(options)).error).toBeUndefined();
  });

  test('of the shared app names its addresses', () => {
    const { features, oauth_config, settings } = slackManifest({ name: 'A', publicUrl, socketMode: false });
    expect(settings.event_subscriptions?.request_url).toBe(`${publicUrl}/webhooks/slack/events`);
    expect(settings.interactivity?.request_url).toBe(`${publicUrl}/webhooks/slack/interactions`);
    expect(features.slash_commands?.[0]?.url).toBe(`${publicUrl}/webhooks/slack/commands`);
    expect(oauth_config.redirect_urls).toEqual([`${publicUrl}/webhooks/slack/oauth`]);
    expect(settings.socket_mode_enabled).toBe(false);
  });

  test('of an own app has the channel’s key in every address', () => {
    const manifest = slackManifest({ name: 'A', publicUrl, socketMode: false, channelKey: 'ck_acme' });
    const addresses = JSON.stringify(manifest).match(/https:[^"]+/g) ?? [];
    expect(addresses).toHaveLength(4);
    for (const address of addresses) expect(address).toContain('/webhooks/slack/ck_acme/');
  });

  test('with Socket Mode names no address but the one that links come back to', () => {
    const without = slackManifest({ name: 'A', socketMode: true });
    expect(JSON.stringify(without)).not.toContain('http');
    expect(without.settings.socket_mode_enabled).toBe(true);
    const withUrl = slackManifest({ name: 'A', publicUrl, socketMode: true });
    expect(JSON.stringify(withUrl).match(/https:[^"]+/g)).toEqual([`${publicUrl}/webhooks/slack/oauth`]);
  });

  test('asks for a scope for every event that it subscribes to', () => {
    const { oauth_config, settings } = slackManifest({ name: 'A', socketMode: true });
    const events = settings.event_subscriptions?.bot_events ?? [];
    expect([...events].sort()).toEqual(Object.keys(scopeOfEvent).sort());
    for (const event of events) {
      const scope = scopeOfEvent[event];
      if (scope !== undefined) expect(oauth_config.scopes.bot).toContain(scope);
    }
  });

  test('asks for no scope twice, and for none that reads people’s addresses or posts where it was not asked', () => {
    const { bot } = slackManifest({ name: 'A', socketMode: true }).oauth_config.scopes;
    expect(new Set(bot).size).toBe(bot.length);
    expect(bot.filter((scope) => /email|public|customize|admin|users/.test(scope))).toEqual([]);
  });
});
