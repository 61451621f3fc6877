import type { SendProgress } from '../gateway.ts';
import { GatewayError } from '../gateway-error.ts';
import { type Outgoing, placeOf, type SendParts, segmentsOf } from './outgoing.ts';
import { isWhatsApp } from './places.ts';
import { candidatesOf, matchParts } from './reconcile.ts';
import { settingsOf } from './settings.ts';

/** Looks for parts that an interrupted attempt has sent without a record, and records them. */
export async function adoptParts(
  { api, isRecordedElsewhere }: SendParts,
  { channel, message, account, place, planned }: Outgoing,
  { signal, keepPart }: SendProgress,
): Promise<string[]> {
  const { messagingService, template } = settingsOf(channel);
  const left = planned.slice(message.externalIds.length);
  if (left.length === 0) return [];
  const filter = { to: place.theirs, ...(messagingService === undefined && { from: place.ours }) };
  const listed = await api.listNewest(account, filter, signal).catch((error: unknown) => {
    throw stillUnknown(error);
  });

  const candidates = candidatesOf(listed, message, messagingService);
  const taken = await Promise.all(
    candidates.map(({ sid }) => isRecordedElsewhere?.(placeOf(channel), sid, message.deliveryId) ?? false),
  );
  const found = matchParts(
    left,
    candidates.filter((_, index) => !taken[index]),
    template !== undefined && isWhatsApp(place.theirs),
  );
  for (const [index, { sid }] of found.entries()) {
    const segments = segmentsOf(left[index], place);
    await keepPart(message.externalIds.length + index + 1, sid, { segments });
  }
  return found.map(({ sid }) => sid);
}

/** This attempt has sent nothing, but whether the one before has is as open as before, and is asked again. */
function stillUnknown(error: unknown): unknown {
  if (!(error instanceof GatewayError) || error.retry === 'never') return error;
  return new GatewayError('unavailable', `What was sent before could not be looked up: ${error.message}`, {
    mayHaveArrived: true,
    ...(error.retryAfterMs !== undefined && { retryAfterMs: error.retryAfterMs }),
    ...(error.platformCode !== undefined && { platformCode: error.platformCode }),
  });
}
