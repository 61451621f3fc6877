import type { InboundAttachment } from '../../gateway.ts';
import { type Fields, idOf, rowsOf, textOf } from './payload-fields.ts';

/** Modes of a file that is no longer there, or that the workspace's plan hides. */
const unreachable: ReadonlySet<unknown> = new Set(['tombstone', 'hidden_by_limit']);

/** The files of a message. `source`: `{ id, url }`; the address wants the bot's token. */
export function attachmentsOf(message: Fields): InboundAttachment[] {
  return rowsOf(message['files']).flatMap((file) => {
    const id = idOf(file['id']);
    const url = textOf(file['url_private_download']) ?? textOf(file['url_private']);
    // In Slack Connect a file may come with its id alone (`file_access: check_file_info`): it is asked for by that.
    if (id === undefined || unreachable.has(file['mode'])) return [];
    const sizeBytes = file['size'];
    return [
      {
        name: textOf(file['name']) ?? textOf(file['title']) ?? id,
        contentType: textOf(file['mimetype']) ?? 'application/octet-stream',
        ...(isSize(sizeBytes) && { sizeBytes }),
        source: { id, ...(url && { url }) },
      },
    ];
  });
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
