import type { Service } from './a-service.ts';
import { placeOf } from './place-of.ts';

/** A file that the service says something with, to one person on the tenant `shop`'s channel. */
export type FileOffer = { channel: string; conversationExternalId: string; user: string; bytes: string };

export async function offerFile(
  app: Service['app'],
  { channel, conversationExternalId, user, bytes }: FileOffer,
): Promise<void> {
  const at = await placeOf({ app }, channel);
  const file = await app.files.put(at.tenantId, {
    ...{ name: 'report.txt', contentType: 'text/plain', bytes: Buffer.from(bytes), sizeBytesMax: 10_000 },
  });
  const { name, contentType, sizeBytes } = file;
  const attachments = [{ fileId: file.id, name, contentType, sizeBytes }];
  await app.sendMessage(at, {
    ...{ key: `offer/${file.id}`, conversationExternalId, participantExternalId: user, role: 'agent' },
    ...{ text: 'Here it is.', content: { attachments } },
  });
}
