import type { Json } from './json.ts';
import type { Stage } from './stage.ts';
import { fileOnWire } from './stored-file.ts';
import { inOrder, type Message } from './world.ts';

/** A message as answers and events hold it (https://docs.slack.dev/reference/events/message). */
export function messageOnWire(
  stage: Stage,
  message: Message,
  options: { withMetadata?: boolean } = {},
): Json {
  const { world, files, url } = stage;
  const { ts, threadTs, user, botId, appId, subtype, text, blocks, metadata, teamId, editedTs } = message;
  const channel = world.channel(teamId, message.channelId);
  const parent = threadTs === undefined ? undefined : channel?.messages.get(threadTs);
  const replies = inOrder(channel).filter((other) => other.threadTs === ts && !other.isDeleted);
  const shared = message.fileIds.flatMap((id) => files.get(id) ?? []);
  return {
    type: 'message',
    ...(subtype !== undefined && { subtype }),
    ...(user !== undefined && { user }),
    ts,
    ...(message.clientMessageId !== undefined && { client_msg_id: message.clientMessageId }),
    text,
    team: (user && world.workspace(teamId).users.get(user)?.teamId) ?? teamId,
    ...(botId !== undefined && { bot_id: botId }),
    ...(appId !== undefined && { app_id: appId }),
    ...(blocks && { blocks }),
    ...(shared.length > 0 && { files: shared.map((file) => fileOnWire(url(), file)), upload: false }),
    ...(threadTs !== undefined && {
      thread_ts: threadTs,
      ...(parent?.user && { parent_user_id: parent.user }),
    }),
    ...(threadTs === undefined && replies.length > 0 && { thread_ts: ts, reply_count: replies.length }),
    ...(editedTs !== undefined && { edited: { user, ts: editedTs } }),
    ...(message.reactions.length > 0 && {
      reactions: message.reactions.map(({ name, users }) => ({ name, users, count: users.length })),
    }),
    ...(options.withMetadata && metadata && { metadata }),
  };
}
