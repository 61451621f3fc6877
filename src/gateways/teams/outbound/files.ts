import type { Uuid } from '#domain/ids.ts';
import type { FileStore } from '#files/file-store.ts';
import type { OutboundAttachment } from '../../gateway.ts';
import type { TeamsTexts } from '../texts.ts';
import type { FileLink, TeamsPart } from './compose-parts.ts';

/** Whoever reads an answer later asks again. */
const linkTtlMs = 7 * 24 * 60 * 60_000;

/** In a chat with one person Teams keeps a file once the person has taken it: each is offered on a card of its own. */
export function offerFiles(
  files: Pick<FileStore, 'sign'>,
  tenantId: Uuid,
  attachments: readonly OutboundAttachment[],
  texts: TeamsTexts['file'],
): TeamsPart[] {
  return attachments.map(({ fileId, name, sizeBytes }) => ({
    text: '',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.teams.card.file.consent',
        name,
        content: {
          description: texts.offer,
          sizeInBytes: sizeBytes,
          // What comes back is only what somebody sends: the link is signed, and opens this file and no other.
          acceptContext: { link: files.sign(tenantId, fileId, linkTtlMs) },
          declineContext: {},
        },
      },
    ],
  }));
}

/** Elsewhere a bot can share no file: it is read by a link of ours. */
export function linkFiles(
  files: Pick<FileStore, 'sign'>,
  tenantId: Uuid,
  attachments: readonly OutboundAttachment[],
): FileLink[] {
  return attachments.map(({ fileId, name }) => ({ name, url: files.sign(tenantId, fileId, linkTtlMs) }));
}
