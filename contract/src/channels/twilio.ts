import { z } from 'zod';
import type { DescribedChannel } from './described-channel.ts';

const word = z.string().min(1).max(40);
const notice = z.string().min(1).max(1_600);

/** What people write to stop, to begin again and to ask who is there, besides the words that every carrier knows. */
export const optOutSettings = z.strictObject({
  stopWords: z.array(word).max(50).optional(),
  startWords: z.array(word).max(50).optional(),
  helpWords: z.array(word).max(50).optional(),
  /** Who answers STOP, START and HELP: Twilio (its default for SMS, or Advanced Opt-Out), or this channel. */
  answeredBy: z.enum(['twilio', 'channel']).optional(),
  stopText: notice.optional(),
  startText: notice.optional(),
  helpText: notice.optional(),
});
export type OptOutSettings = z.infer<typeof optOutSettings>;

const timeOfDay = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'a time of day such as 21:00');

/** When nothing is sent of our own accord. Answers go out all the same unless `answers` holds them back too. */
export const quietHours = z
  .strictObject({
    from: timeOfDay,
    to: timeOfDay,
    timeZone: z
      .string()
      .max(64)
      .refine(isTimeZone, 'a time zone such as Europe/Berlin or America/New_York')
      .default('UTC'),
    answers: z.boolean().default(false),
  })
  .refine(({ from, to }) => from !== to, { path: ['to'], message: 'another time than from' });
export type QuietHours = z.infer<typeof quietHours>;

/** A Twilio channel as the apply file gives it: a number or a messaging service, of the shared account or of an own one. */
export const twilioChannel = z
  .strictObject({
    slug: z.string().max(63),
    platform: z.literal('twilio'),
    key: z
      .string()
      .regex(/^ck_[A-Za-z0-9_-]{3,80}$/, 'ck_ and 3 to 80 letters, digits, - or _')
      .optional(),
    agent: z.string().max(63).optional(),
    accountSid: z
      .string()
      .regex(/^AC[A-Za-z0-9]{1,64}$/, 'an account id, which begins with AC')
      .optional(),
    authToken: z.string().min(1).max(200).optional(),
    number: z
      .string({ error: 'a text: put the number in quotes, because YAML takes +15550001 for a number' })
      .regex(
        /^(?:whatsapp:)?\+\d{5,15}$|^\d{4,8}$/,
        'a number such as +15550001, whatsapp:+15550001, or a short code',
      )
      .optional(),
    messagingService: z
      .string()
      .regex(/^MG[A-Za-z0-9]{1,64}$/, 'a messaging service id, which begins with MG')
      .optional(),
    optOut: optOutSettings.optional(),
    quietHours: quietHours.optional(),
    /** WhatsApp: what is sent when the person has not written for 24 hours. `textVariable` takes the answer's text. */
    template: z
      .strictObject({
        contentSid: z.string().regex(/^HX[A-Za-z0-9]{1,64}$/, 'a content template id, which begins with HX'),
        textVariable: z.string().min(1).max(40).default('1'),
      })
      .optional(),
  })
  .superRefine((channel, context) => {
    const fault = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    if ((channel.accountSid === undefined) !== (channel.authToken === undefined))
      fault('accountSid', 'accountSid and authToken go together');
    if (channel.number === undefined && channel.messagingService === undefined)
      fault('number', 'a number or a messagingService');
  });
export type TwilioChannel = z.infer<typeof twilioChannel>;

/** What of it is stored in the open. The auth token is sealed apart, as `authToken`. */
export type TwilioChannelSettings = Omit<
  TwilioChannel,
  'slug' | 'platform' | 'key' | 'agent' | 'authToken'
> & {
  /** The base address of an API that stands in for Twilio's; only `swarmgate simulate` sets it. */
  apiUrl?: string;
};

export function describeTwilioChannel(channel: TwilioChannel): DescribedChannel {
  const { slug, platform, key, agent, authToken, ...settings } = channel;
  const app = channel.accountSid ?? '';
  return {
    settings: dropAbsent(settings),
    secrets: { authToken },
    claims: [
      ...(channel.number ? [{ kind: 'number', app, key: channel.number }] : []),
      ...(channel.messagingService
        ? [{ kind: 'messaging_service', app, key: channel.messagingService }]
        : []),
    ],
  };
}

function dropAbsent(settings: TwilioChannelSettings): Record<string, unknown> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
