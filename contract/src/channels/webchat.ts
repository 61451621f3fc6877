import { z } from 'zod';
import type { DescribedChannel } from './described-channel.ts';

/**
 * Where the widget may be embedded: an exact origin (`https://acme.example`), all hosts under one
 * (`https://*.acme.example`), or any port of one (`http://localhost:*`).
 */
const originPattern = z
  .string()
  .regex(
    /^https?:\/\/(?:\*\.)?[A-Za-z0-9.-]+(?::(?:\d{1,5}|\*))?$/,
    'an origin such as https://acme.example, https://*.acme.example or http://localhost:*',
  );

/** A web chat channel as the apply file gives it. */
export const webChatChannel = z.strictObject({
  slug: z.string().max(63),
  platform: z.literal('webchat'),
  key: z
    .string()
    .regex(/^wk_[A-Za-z0-9_-]{3,80}$/, 'wk_ and 3 to 80 letters, digits, - or _')
    .optional(),
  agent: z.string().max(63).optional(),
  origins: z.array(originPattern).min(1).max(100),
  /**
   * How the embedding site proves who its visitor is: a JWT signed with `secret` (HS256), or by a key of `jwksUrl`. With
   * `issuer` and `audience` its `iss` and `aud` must be these: an identity provider signs for other applications too.
   */
  identity: z
    .strictObject({
      secret: z.string().min(32, 'at least 32 characters').max(1_000).optional(),
      jwksUrl: z.url({ protocol: /^https?$/ }).optional(),
      issuer: z.string().min(1).max(500).optional(),
      audience: z.string().min(1).max(500).optional(),
      required: z.boolean().default(false),
    })
    .refine(
      (identity) => (identity.secret === undefined) !== (identity.jwksUrl === undefined),
      'either secret or jwksUrl',
    )
    .optional(),
  /** What the widget says before anybody has written. */
  greeting: z.string().max(500).optional(),
  suggestions: z.array(z.string().min(1).max(120)).max(6).optional(),
});
export type WebChatChannel = z.infer<typeof webChatChannel>;

/** What of it is stored in the open. The identity secret is sealed apart, under {@link identitySecretName}. */
export type WebChatChannelSettings = {
  origins: string[];
  identity?: {
    kind: 'secret' | 'jwks';
    jwksUrl?: string;
    issuer?: string;
    audience?: string;
    required: boolean;
  };
  greeting?: string;
  suggestions?: string[];
};

export const identitySecretName = 'identitySecret';

export function describeWebChatChannel(channel: WebChatChannel): DescribedChannel {
  const { origins, identity, greeting, suggestions } = channel;
  const settings: WebChatChannelSettings = {
    origins,
    ...(identity && { identity: identitySettings(identity) }),
    ...(greeting && { greeting }),
    ...(suggestions && { suggestions }),
  };
  return { settings, secrets: { [identitySecretName]: identity?.secret }, claims: [] };
}

/** What was given for it, as far as it is kept; `describeWebChatChannel` the other way round. */
export function restoreWebChatChannel(
  { identity, ...open }: WebChatChannelSettings,
  secrets: Readonly<Record<string, string>>,
): Record<string, unknown> {
  if (!identity) return open;
  const { kind, ...rest } = identity;
  return {
    ...open,
    identity: { ...rest, ...(kind === 'secret' && { secret: secrets[identitySecretName] }) },
  };
}

function identitySettings({
  jwksUrl,
  issuer,
  audience,
  required,
}: NonNullable<WebChatChannel['identity']>): NonNullable<WebChatChannelSettings['identity']> {
  return {
    ...(jwksUrl ? { kind: 'jwks', jwksUrl } : { kind: 'secret' }),
    ...(issuer && { issuer }),
    ...(audience && { audience }),
    required,
  };
}
