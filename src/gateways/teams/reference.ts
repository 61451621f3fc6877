import { z } from 'zod';
import type { ConversationReference } from '../gateway.ts';
import { type Context, placeOfContext } from './inbound/parse-context.ts';
import { baseOf, referenceKeyOf, writePlace } from './places.ts';

/** How Teams is reached in a conversation. The address was signed when it came: only such ones get our tokens. */
export type TeamsReference = z.infer<typeof referenceSchema>;

const referenceSchema = z.object({
  serviceUrl: z.url({ protocol: /^https?$/ }),
  /** Without the thread. */
  conversationId: z.string(),
  aadTenant: z.string(),
  botId: z.string(),
});

/** What a verified activity tells of how to answer it. */
export function referenceFrom(context: Context, blockedReason?: string): ConversationReference[] {
  const { activity, serviceUrl, conversationId, tenant } = context;
  const botId = activity.recipient?.id;
  if (botId === undefined || !URL.canParse(serviceUrl)) return [];
  const reference: TeamsReference = {
    serviceUrl,
    conversationId: baseOf(conversationId),
    aadTenant: tenant,
    botId,
  };
  return [
    {
      conversationExternalId: referenceKeyOf(writePlace(placeOfContext(context))),
      reference,
      ...(blockedReason !== undefined && { blockedReason }),
    },
  ];
}

/** @throws when it is not what {@link referenceFrom} has written */
export function readReference(reference: Readonly<Record<string, unknown>>): TeamsReference {
  return referenceSchema.parse(reference);
}
