import { newSlackId } from './identifiers.ts';
import type { Json } from './json.ts';

export type StoredFile = {
  id: string;
  teamId: string;
  name: string;
  title: string;
  contentType: string;
  /** `undefined`: announced, and not uploaded yet. */
  bytes: Buffer | undefined;
  sizeBytes: number;
  /** The user, or the bot user, whose it is. */
  user: string;
  /** The app that uploads it. */
  appId: string | undefined;
  createdAtMs: number;
};

export type NewFile = Pick<StoredFile, 'teamId' | 'name' | 'contentType' | 'user' | 'sizeBytes'> &
  Partial<Pick<StoredFile, 'bytes' | 'appId'>>;

export function keepFile(
  place: { files: Map<string, StoredFile>; now: () => number },
  file: NewFile,
): StoredFile {
  const kept = {
    bytes: undefined,
    appId: undefined,
    ...file,
    id: newSlackId('F'),
    title: file.name,
    createdAtMs: place.now(),
  };
  place.files.set(kept.id, kept);
  return kept;
}

/** The file as events and answers hold it (https://docs.slack.dev/reference/objects/file-object). */
export function fileOnWire(url: string, file: StoredFile): Json {
  const { id, teamId, name, title, contentType, sizeBytes, user, createdAtMs } = file;
  const created = Math.floor(createdAtMs / 1_000);
  const extension = name.includes('.') ? name.slice(name.lastIndexOf('.') + 1).toLowerCase() : 'binary';
  const place = `${url}/files-pri/${teamId}-${id}`;
  return {
    id,
    created,
    timestamp: created,
    name,
    title,
    mimetype: contentType,
    filetype: extension,
    pretty_type: extension.toUpperCase(),
    user,
    user_team: teamId,
    editable: false,
    size: sizeBytes,
    mode: 'hosted',
    is_external: false,
    external_type: '',
    is_public: true,
    public_url_shared: false,
    display_as_bot: false,
    username: '',
    url_private: `${place}/${encodeURIComponent(name)}`,
    url_private_download: `${place}/download/${encodeURIComponent(name)}`,
    permalink: `${url}/files/${user}/${id}/${encodeURIComponent(name)}`,
    has_rich_preview: false,
    file_access: 'visible',
  };
}
