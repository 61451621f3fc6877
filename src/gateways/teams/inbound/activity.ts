import { z } from 'zod';
import type { RawRequest, Verified } from '../../gateway.ts';

/**
 * An activity as Teams sends it. A field of another type than it should have is as if it were not there; fields that
 * nobody here reads are left out.
 *
 * @see https://github.com/microsoft/Agents/blob/main/specs/activity/protocol-activity.md
 */
export type Activity = z.infer<typeof activitySchema>;

const optional = <Schema extends z.ZodType>(schema: Schema) => schema.optional().catch(undefined);
const text = optional(z.string().min(1));
/** Without what would blur the keys that are put together from it. */
const id = optional(z.string().regex(/^[^\s\p{Cc}]{1,400}$/u));
/** Ids of messages stand behind a slash. */
const messageId = optional(z.string().regex(/^[^\s\p{Cc}/]{1,200}$/u));
const guid = optional(
  z
    .string()
    .regex(/^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$/)
    .transform((given) => given.toLowerCase()),
);
const fields = optional(z.record(z.string(), z.unknown()));
const account = optional(z.object({ id, name: text, aadObjectId: id, role: text }));
const named = optional(z.object({ id }));
const reactions = optional(z.array(z.object({ type: z.string().regex(/^[\w+-]{1,60}$/) })));

const activitySchema = z.object({
  type: text,
  id: messageId,
  timestamp: text,
  channelId: text,
  serviceUrl: text,
  name: text,
  action: text,
  from: account,
  recipient: account,
  conversation: optional(
    z.object({ id, tenantId: guid, conversationType: text, isGroup: optional(z.boolean()) }),
  ),
  text: optional(z.string()),
  value: fields,
  replyToId: messageId,
  entities: optional(z.array(fields)),
  attachments: optional(
    z.array(
      optional(z.object({ contentType: text, contentUrl: text, name: text, content: optional(z.unknown()) })),
    ),
  ),
  membersAdded: optional(z.array(account)),
  membersRemoved: optional(z.array(account)),
  reactionsAdded: reactions,
  reactionsRemoved: reactions,
  channelData: optional(
    z.object({ eventType: text, tenant: optional(z.object({ id: guid })), team: named, channel: named }),
  ),
});

/** `undefined`: the body is no JSON object. */
export function parseActivity(body: Buffer): Activity | undefined {
  try {
    const read = activitySchema.safeParse(JSON.parse(body.toString('utf8')));
    return read.success ? read.data : undefined;
  } catch {
    return undefined;
  }
}

const none: Activity = activitySchema.parse({});

export function activityOf(request: Verified<RawRequest>): Activity {
  return parseActivity(request.body) ?? none;
}

/**
 * The Entra tenant that an activity comes from. The token signs the address of the service, and in that of Teams the
 * tenant stands: it goes before what the body says, which nobody has signed. A guest, or somebody in a shared channel,
 * belongs to the tenant that the conversation is in.
 */
export function tenantOf({ serviceUrl, conversation, channelData }: Activity): string | undefined {
  return (serviceUrl && tenantInUrl(serviceUrl)) ?? conversation?.tenantId ?? channelData?.tenant?.id;
}

/** Whether the body says it comes from a tenant that the signed address does not name. */
export function isOfAnotherTenant({ serviceUrl, conversation, channelData }: Activity): boolean {
  const signed = serviceUrl && tenantInUrl(serviceUrl);
  const said = [conversation?.tenantId, channelData?.tenant?.id].filter((one) => one !== undefined);
  return signed !== undefined && said.length > 0 && !said.includes(signed);
}

function tenantInUrl(serviceUrl: string): string | undefined {
  const segments = URL.canParse(serviceUrl) ? new URL(serviceUrl).pathname.split('/') : [];
  return segments.map((segment) => guid.parse(segment)).find((segment) => segment !== undefined);
}
