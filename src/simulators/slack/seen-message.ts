import type { Json } from './json.ts';
import { mentionsIn, visibleText } from './visible-text.ts';
import type { Message } from './world.ts';

/** A message as the judge sees it. */
export type SeenMessage = {
  ts: string;
  channel: string;
  threadTs: string | undefined;
  user: string | undefined;
  /** Of a message that no person wrote. */
  botId: string | undefined;
  appId: string | undefined;
  subtype: string | undefined;
  text: string;
  blocks: Json[] | undefined;
  markdown: string | undefined;
  metadata: Json | undefined;
  fileIds: string[];
  reactions: { name: string; users: string[] }[];
  /** What a person read after each change. */
  edits: string[];
  deleted: boolean;
  /** Being written still. */
  streaming: boolean;
  /** What a person reads now. */
  finalText: string;
  /** Whom it notifies: `@U1`, `@here`. */
  mentions: string[];
};

/** A copy that later changes leave as it is. */
export function seenMessage(message: Message): SeenMessage {
  const { ts, channelId, threadTs, user, botId, appId, subtype, text, markdown, isDeleted, stream } = message;
  const { blocks, metadata, fileIds, reactions, edits } = structuredClone(message);
  return {
    ...{ ts, channel: channelId, threadTs, user, botId, appId, subtype, text, blocks, markdown },
    ...{ metadata, fileIds, reactions, edits },
    deleted: isDeleted,
    streaming: stream?.isOpen === true,
    finalText: visibleText(message),
    mentions: mentionsIn(message),
  };
}
