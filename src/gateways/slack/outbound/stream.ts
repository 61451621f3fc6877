import type { Logger } from '#kernel/logger.ts';
import type { OpenChannel, ReplyStream, StreamTarget } from '../../gateway.ts';
import { GatewayError } from '../../gateway-error.ts';
import { createPacedWriter } from '../../paced-writer.ts';
import { settingsOf } from '../channel.ts';
import { readMessageId, readPlace, type SlackMessageId } from '../places.ts';
import type { PlaceFinder, PostPlace } from './send-places.ts';
import type { Refusals } from './stream-refusals.ts';
import { createEditsSink, createNativeSink, type SinkParts } from './stream-sinks.ts';

export type SlackStreamParts = SinkParts & {
  places: PlaceFinder;
  refusals: Refusals;
  logger?: Logger | undefined;
};

const findMs = 5_000;

/**
 * Shows an answer while it is written: by Slack's own streaming in threads, and as a post that is edited elsewhere, where
 * that is refused, and in a rerun, which goes on with the post that is there. What goes wrong takes nothing from the
 * answer: the final text is sent whole.
 */
export async function openSlackStream(
  parts: SlackStreamParts,
  channel: OpenChannel,
  target: StreamTarget,
  keepExternalId: (number: number, externalId: string) => Promise<void>,
): Promise<ReplyStream> {
  if (settingsOf(channel).streaming === false) return hidden;
  const place = readPlace(target.conversationExternalId);
  const at = await parts.places.find(channel, place, AbortSignal.timeout(findMs));
  const sinkTarget = { channel, target, keepExternalId };

  const [known] = target.externalIds;
  const editing = (post: SlackMessageId | undefined) => createEditsSink(parts, sinkTarget, at, post);
  const native = mayStream(parts, channel, target, at) ? createNativeSink(parts, sinkTarget, at) : undefined;
  let sink = native ?? editing(known === undefined ? undefined : readMessageId(known));
  let latest: string | undefined;

  const writer = createPacedWriter({
    intervalMs: () => sink.intervalMs,
    async write(text) {
      await sink.write(text).catch(async (error: unknown) => {
        if (sink !== native || !isRefusal(error)) throw error;
        const isCutOff = error.platformCode === 'message_not_in_streaming_state'; // streams live for some minutes
        if (sink.hasBegun() && !isCutOff) throw error;
        if (!sink.hasBegun()) rememberRefusal(parts, channel, at, error);
        sink = editing(sink.post());
        await sink.write(text);
      });
    },
  });
  return {
    show(text) {
      latest = text;
      writer.show(text);
    },
    async close() {
      await writer.close();
      await sink.close(latest);
    },
  };
}

const hidden: ReplyStream = { show() {}, async close() {} };

function mayStream(
  { refusals }: SlackStreamParts,
  channel: OpenChannel,
  { externalIds }: StreamTarget,
  at: PostPlace,
): at is Required<PostPlace> {
  if (at.threadTs === undefined || externalIds.length > 0) return false;
  return !refusals.has(appKey(channel)) && !refusals.has(placeKey(channel, at));
}

function isRefusal(error: unknown): error is GatewayError {
  return error instanceof GatewayError && error.retry === 'never';
}

/** Refusals of the app itself, wherever it streams. */
const appCodes: ReadonlySet<string> = new Set([
  ...['unknown_method', 'missing_scope', 'not_allowed_token_type', 'feature_disabled', 'not_agent_app'],
]);
/** About the person who is answered, and so nothing to remember. */
const personCodes: ReadonlySet<string> = new Set(['user_not_found', 'missing_recipient_user_id']);

function rememberRefusal(
  { refusals, logger }: SlackStreamParts,
  channel: OpenChannel,
  at: PostPlace,
  { code, platformCode = '' }: GatewayError,
): void {
  if (personCodes.has(platformCode)) return;
  refusals.remember(appCodes.has(platformCode) ? appKey(channel) : placeKey(channel, at));
  logger?.debug(
    { tenantId: channel.tenantId, code, reason: platformCode },
    'Slack does not stream here; answers are shown by edits for a while',
  );
}

function appKey({ id }: OpenChannel): string {
  return `stream/${id}`;
}

function placeKey({ id }: OpenChannel, { channel }: PostPlace): string {
  return `stream/${id}/${channel}`;
}
