import { readContent } from '../content/read-content.ts';
import { type Json, textOf } from '../json.ts';
import { refuseArgument, SlackRefusal } from '../refusal.ts';
import { fileOnWire, keepFile, type StoredFile } from '../stored-file.ts';
import { findOwnChannel, findThread } from './lookup.ts';
import type { BotCall, Method } from './method.ts';

/** Files out, in three steps (https://docs.slack.dev/messaging/working-with-files), and what is known of one. */
export const fileMethods: Readonly<Record<string, Method>> = {
  'files.getUploadURLExternal': {
    token: 'bot',
    tier: 4,
    scope: 'files:write',
    isFormOnly: true,
    run: announce,
  },
  'files.completeUploadExternal': { token: 'bot', tier: 4, scope: 'files:write', run: complete },
  'files.info': {
    token: 'bot',
    tier: 4,
    scope: 'files:read',
    isFormOnly: true,
    run: (call) => ({ file: fileOnWire(call.stage.url(), findFile(call, call.args.required('file'))) }),
  },
};

function announce(call: BotCall): Json {
  const { stage, args, app, installation } = call;
  const name = args.required('filename');
  const sizeBytes = Number(args.required('length'));
  if (!Number.isInteger(sizeBytes) || sizeBytes < 1)
    throw refuseArgument('missing_argument', 'length is the size in bytes');
  const [teamId = ''] = stage.installations.teamsOf(installation);
  const { id } = keepFile(stage, {
    teamId,
    name,
    sizeBytes,
    contentType: 'application/octet-stream',
    user: installation.botUserId,
    appId: app.appId,
  });
  return { upload_url: `${stage.url()}/upload/v1/${id}`, file_id: id };
}

function complete(call: BotCall): Json {
  const { stage, args, app, installation } = call;
  const given = args.list('files') ?? [];
  if (given.length === 0) throw refuseArgument('invalid_arguments', 'missing required field: files');
  const files = given.map(({ id, title }) => {
    const file = findFile(call, textOf(id));
    if (file.appId !== app.appId || !file.bytes) throw new SlackRefusal('file_not_found');
    if (typeof title === 'string' && title !== '') file.title = title;
    return file;
  });
  const place = args.text('channel_id');
  if (place !== undefined) {
    const channel = findOwnChannel(call, place);
    const thread = args.text('thread_ts');
    const comment = args.text('initial_comment');
    const blocks = comment === undefined ? args.list('blocks', 'invalid_blocks') : undefined;
    const content = blocks ? readContent(args) : { text: comment ?? '' };
    const message = stage.world.addMessage(channel, {
      ...content,
      ts: stage.timestamp(),
      threadTs: thread === undefined ? undefined : findThread(call, channel, thread),
      user: installation.botUserId,
      botId: installation.botId,
      appId: app.appId,
      subtype: 'file_share',
      fileIds: files.map(({ id }) => id),
    });
    stage.announce({ kind: 'posted', message });
  }
  return { files: files.map(({ id, title }) => ({ id, title })) };
}

function findFile(call: BotCall, id: string): StoredFile {
  const file = call.stage.files.get(id);
  if (!file) throw new SlackRefusal('file_not_found');
  if (call.stage.installations.teamsOf(call.installation).includes(file.teamId)) return file;
  call.violation(`names the file ${id} of ${file.teamId}`);
  throw new SlackRefusal('file_not_found');
}
