import type { Arguments } from '../arguments.ts';
import type { Json } from '../json.ts';
import { refuseArgument, SlackRefusal } from '../refusal.ts';
import { checkMessageBlocks } from './check-blocks.ts';

/** The documentation says 40,000; more than this is refused (https://docs.slack.dev/reference/methods/chat.update). */
const textLengthMax = 4_000;
export const markdownLengthMax = 12_000;
const attachmentsMax = 100;
const metadataBytesMax = 16_000;

export type Content = { text: string; blocks: Json[] | undefined; markdown: string | undefined };

/** What a message is to say. @throws {SlackRefusal} */
export function readContent(args: Arguments): Content {
  const text = args.text('text');
  const markdown = args.text('markdown_text');
  const blocks = args.list('blocks', 'invalid_blocks_format');
  const attachments = args.list('attachments') ?? [];
  if (markdown !== undefined && (text !== undefined || blocks !== undefined))
    throw new SlackRefusal('markdown_text_conflict');
  const said = markdown ?? text ?? '';
  if (said.trim() === '' && !blocks?.length && attachments.length === 0) throw new SlackRefusal('no_text');
  if (said.length > (markdown === undefined ? textLengthMax : markdownLengthMax))
    throw new SlackRefusal('msg_too_long');
  if (attachments.length > attachmentsMax) throw new SlackRefusal('too_many_attachments');
  if (blocks) checkMessageBlocks(blocks);
  return { text: said, blocks: blocks?.length ? blocks : undefined, markdown };
}

/** `undefined`: not given. An empty object takes away what was there. @throws {SlackRefusal} */
export function readMetadata(args: Arguments): Json | undefined {
  const metadata = args.object('metadata', 'invalid_metadata_format');
  if (metadata === undefined || Object.keys(metadata).length === 0) return metadata;
  const { event_type: type, event_payload: payload, ...others } = metadata;
  if (typeof type !== 'string' || type === '' || Object.keys(others).length > 0)
    throw refuseArgument('invalid_metadata_format', 'metadata holds event_type and event_payload');
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload))
    throw refuseArgument('invalid_metadata_format', 'event_payload must be an object');
  if (!Object.values(payload).every((value) => ['string', 'number', 'boolean'].includes(typeof value)))
    throw refuseArgument('invalid_metadata_schema', 'event_payload holds texts, numbers, true and false');
  if (Buffer.byteLength(JSON.stringify(metadata)) > metadataBytesMax)
    throw new SlackRefusal('metadata_too_large');
  return metadata;
}
