import { z } from 'zod';
import { optOutSettings, quietHours } from './channels/twilio.ts';
import { webChatDefaults } from './web-chat.ts';

/** Settings that an organization or a tenant may set; a tenant's go before its organization's, both before the defaults. */
export const settings = z.strictObject({
  webchat: z
    .strictObject({
      textLengthMax: z.int().min(1).max(100_000).optional(),
      bodyBytesMax: z.int().min(1_024).max(1_048_576).optional(),
      messagesPerMinute: z.int().min(1).max(10_000).optional(),
      sessionsPerMinute: z.int().min(1).max(100_000).optional(),
    })
    .optional(),
  /** For every Twilio channel; what a channel says itself goes before. */
  twilio: z.strictObject({ optOut: optOutSettings.optional(), quietHours: quietHours.optional() }).optional(),
});
export type Settings = z.infer<typeof settings>;

export type WebChatLimits = { -readonly [Name in keyof typeof webChatDefaults]: number };

/** The web chat limits that hold for a tenant. The levels were checked when they were written. */
export function webChatLimits(organization: Settings, tenant: Settings): WebChatLimits {
  const limitOf = (name: keyof WebChatLimits) =>
    tenant.webchat?.[name] ?? organization.webchat?.[name] ?? webChatDefaults[name];
  return {
    textLengthMax: limitOf('textLengthMax'),
    bodyBytesMax: limitOf('bodyBytesMax'),
    messagesPerMinute: limitOf('messagesPerMinute'),
    sessionsPerMinute: limitOf('sessionsPerMinute'),
  };
}
