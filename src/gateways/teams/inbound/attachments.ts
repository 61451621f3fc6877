import { z } from 'zod';
import type { InboundAttachment } from '../../gateway.ts';
import type { Activity } from './activity.ts';

/** A file that somebody has sent in a chat; its address needs no token and lives for some minutes. */
const fileType = 'application/vnd.microsoft.teams.file.download.info';
const fileContent = z.object({
  downloadUrl: z.url({ protocol: /^https?$/ }),
  fileType: z.string().max(20).optional().catch(undefined),
});

/**
 * The files of a message. `source`: `{ url }` for one that anybody may fetch who has the address, `{ url, serviceUrl }` for
 * a picture in the text, which wants our token. Files in channels stay at SharePoint, where only Graph reads them.
 *
 * @see https://learn.microsoft.com/microsoftteams/platform/bots/how-to/bots-filesv4
 */
export function attachmentsOf({ attachments = [], serviceUrl }: Activity): InboundAttachment[] {
  return attachments.flatMap((attachment, index): InboundAttachment[] => {
    const { contentType = '', contentUrl, name, content } = attachment ?? {};
    if (contentType === fileType) {
      const read = fileContent.safeParse(content);
      if (!read.success) return [];
      return [
        {
          name: name ?? `file-${index + 1}`,
          contentType: typeOf(read.data.fileType),
          source: { url: read.data.downloadUrl },
        },
      ];
    }
    const isPicture = /^image\/[\w.+*-]{1,60}$/.test(contentType);
    if (!isPicture || contentUrl === undefined || !URL.canParse(contentUrl)) return [];
    return [
      {
        name: name ?? `image-${index + 1}`,
        // Teams writes `image/*`; what it is shows in its bytes.
        contentType: contentType === 'image/*' ? 'application/octet-stream' : contentType,
        source: { url: contentUrl, serviceUrl },
      },
    ];
  });
}

/** Teams tells how a file's name ends. */
function typeOf(ending: string | undefined): string {
  return types.get(ending?.toLowerCase() ?? '') ?? 'application/octet-stream';
}

// A map: what every object has (`constructor`) is the ending of somebody's file, too.
const types: ReadonlyMap<string, string> = new Map(
  Object.entries({
    pdf: 'application/pdf',
    txt: 'text/plain',
    csv: 'text/csv',
    png: 'image/png',
    jpg: 'image/jpeg',
    jpeg: 'image/jpeg',
    gif: 'image/gif',
    docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
    xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    pptx: 'application/vnd.openxmlformats-officedocument.presentationml.presentation',
  }),
);
