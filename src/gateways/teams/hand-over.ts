import { z } from 'zod';
import type { OutboundMessage } from '../gateway.ts';

const handOverSchema = z.object({
  /** Our own, signed: which file it is. */
  link: z.string(),
  /** Where Teams has made room for it, and what it will be called there. */
  upload: z.object({
    url: z.url({ protocol: /^https?$/ }),
    contentUrl: z.string().optional(),
    name: z.string().optional(),
    uniqueId: z.string().optional(),
    fileType: z.string().optional(),
  }),
});

/** A file that a person has taken, and where it is to go. */
export type HandOver = z.infer<typeof handOverSchema>;

/** `undefined`: what Teams has sent names no file of ours, or no place for it. */
export function parseHandOver(value: unknown): HandOver | undefined {
  const read = handOverSchema.safeParse(value);
  return read.success ? read.data : undefined;
}

/** As the message keeps it that is delivered by handing the file over. */
export function writeHandOver(handOver: HandOver): Record<string, unknown> {
  return { teams: { handOver } };
}

/** `undefined`: it is another message. Only the gateway itself makes one of these, and none of the agents'. */
export function readHandOver({
  role,
  content,
}: Pick<OutboundMessage, 'role' | 'content'>): HandOver | undefined {
  const { handOver } = (content['teams'] ?? {}) as { handOver?: unknown };
  return role === 'system' ? parseHandOver(handOver) : undefined;
}
