import type { OpenChannel, OutboundMessage, SendProgress, SendResult } from '../gateway.ts';
import { GatewayError } from '../gateway-error.ts';
import { adoptParts } from './adopt-parts.ts';
import type { NewMessage } from './api.ts';
import { isConsentNotice } from './consent.ts';
import { describeOutgoing, type Outgoing, placeOf, type SendParts, segmentsOf } from './outgoing.ts';
import { pacingOf } from './pacing.ts';
import { nameFiles, type Part } from './plan.ts';
import { quietForMs } from './quiet-hours.ts';
import { quietHoursOf, settingsOf } from './settings.ts';
import { statusAddress } from './status-address.ts';
import { templateFor, templateVariables } from './window.ts';

const sharedFaultRetryMs = 60_000;
/** Twilio fetches a file within minutes. */
const mediaTtlMs = 60 * 60 * 1_000;

/** Sends a message in as many parts as it takes; those in `externalIds` are out and are not sent again. */
export async function sendMessage(
  parts: SendParts,
  channel: OpenChannel,
  message: OutboundMessage,
  progress: SendProgress,
): Promise<SendResult> {
  const outgoing = describeOutgoing(parts, channel, message);
  const { planned } = outgoing;
  const externalIds = [...message.externalIds];
  // Before anything can put this attempt off: what an earlier one has sent must not be forgotten over it.
  if (message.interrupted) externalIds.push(...(await adoptParts(parts, outgoing, progress)));
  while (externalIds.length < planned.length) {
    const number = externalIds.length + 1;
    externalIds.push(await sendPart(parts, outgoing, number, progress));
  }
  return { externalIds };
}

async function sendPart(
  parts: SendParts,
  outgoing: Outgoing,
  number: number,
  { signal, keepPart }: SendProgress,
): Promise<string> {
  const { channel, account, place, sender, planned } = outgoing;
  const part = planned[number - 1] ?? { text: '', media: [] };
  const counted = segmentsOf(part, place);
  // Before the wait, which is spared who may not be written to; and after it, since STOP may have come meanwhile.
  await assertWelcome(parts, outgoing, number);
  assertInTime(signal);
  const { key, intervalMs, burst } = pacingOf(account, sender);
  await parts.pacer.take(key, intervalMs, signal, counted, burst);
  await assertWelcome(parts, outgoing, number);
  assertInTime(signal);

  const request = requestOf(parts, outgoing, part, number);
  const made = await parts.api.create(account, request, signal).catch(async (error: unknown) => {
    if (error instanceof GatewayError && error.code === 'gateway_recipient_opted_out')
      await parts.consents.record(placeOf(channel), {
        sender,
        recipient: place.theirs,
        state: 'opted_out',
        source: error.platformCode ?? '21610',
      });
    throw withChannelFault(error, channel);
  });
  await keepPart(number, made.sid, { segments: made.segments ?? counted });
  return made.sid;
}

// The shared account is the operator's, and many channels': they wait until it is mended.
function withChannelFault(error: unknown, channel: OpenChannel): unknown {
  const { accountSid } = settingsOf(channel);
  if (!(error instanceof GatewayError) || error.code !== 'gateway_credentials_refused') return error;
  if (!accountSid) return new GatewayError('not_now', error.message, { retryAfterMs: sharedFaultRetryMs });
  return new GatewayError('credentials_refused', error.message, {
    ...(error.platformCode !== undefined && { platformCode: error.platformCode }),
    channelFault: `Twilio does not take account ${accountSid} with the auth token that it was given. Give the channel the right one in its apply file.`,
  });
}

/** A call that cannot end in time is not begun: nobody could tell what had become of it. */
function assertInTime(signal: AbortSignal): void {
  if (signal.aborted)
    throw new GatewayError('not_now', 'The message goes on in the next attempt.', { retryAfterMs: 0 });
}

/** @throws {GatewayError} when the person, or the hour, is not to be written to */
async function assertWelcome(
  { consents, nowMs }: SendParts,
  { channel, message, place, sender }: Outgoing,
  number: number,
): Promise<void> {
  if (isConsentNotice(message.content)) return;
  if (await consents.isOptedOut(channel.tenantId, [sender, place.ours], place.theirs))
    throw new GatewayError('recipient_opted_out', 'The person has opted out of messages from this sender.');

  const quiet = quietHoursOf(channel);
  // What has begun is ended: half a message until the morning helps nobody's sleep.
  if (!quiet || number > 1 || (message.turnId !== undefined && !quiet.answers)) return;
  const retryAfterMs = quietForMs(quiet, nowMs());
  if (retryAfterMs !== undefined)
    throw new GatewayError('not_now', `It is quiet until ${quiet.to} (${quiet.timeZone}).`, { retryAfterMs });
}

function requestOf(
  { files, publicUrl, nowMs }: SendParts,
  { channel, message, account, place }: Outgoing,
  { text, media }: Part,
  number: number,
): NewMessage {
  const { messagingService, template: ownTemplate } = settingsOf(channel);
  const template = templateFor(place.theirs, message.lastInboundAt, ownTemplate, nowMs());
  const statusCallback = statusAddress(channel, account.apiUrl, publicUrl(), message.deliveryId, number);
  return {
    to: place.theirs,
    ...(messagingService === undefined ? { from: place.ours } : { messagingServiceSid: messagingService }),
    ...(statusCallback !== undefined && { statusCallback }),
    ...(template
      ? {
          contentSid: template.contentSid,
          // A template takes no files; what they are is said.
          contentVariables: templateVariables(template, [text, nameFiles(media)].filter(Boolean).join('\n')),
        }
      : {
          ...(text !== '' && { body: text }),
          ...(media.length > 0 && {
            mediaUrl: media.map(({ fileId }) => files.sign(channel.tenantId, fileId, mediaTtlMs)),
          }),
        }),
  };
}
