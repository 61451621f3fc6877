import type { TwilioChannelSettings } from '@swarmgate/contract/channels/twilio.ts';
import { GatewayError } from '../gateway-error.ts';
import { isWhatsApp } from './places.ts';

/**
 * WhatsApp takes free text for 24 hours after a person has written, and an approved template afterwards.
 * https://www.twilio.com/docs/whatsapp/key-concepts#conversational-messaging-on-whatsapp
 */
const windowMs = 24 * 60 * 60 * 1_000;

export type Template = NonNullable<TwilioChannelSettings['template']>;

/** The template that a message has to go out in; `undefined`: as free text. @throws {GatewayError} `outside_window` */
export function templateFor(
  recipient: string,
  lastInboundAt: Date | undefined,
  template: Template | undefined,
  nowMs: number,
): Template | undefined {
  if (!isWhatsApp(recipient)) return undefined;
  if (lastInboundAt && nowMs - lastInboundAt.getTime() < windowMs) return undefined;
  if (template) return template;
  throw new GatewayError(
    'outside_window',
    'The person has not written on WhatsApp for 24 hours, and the channel has no template to begin with.',
  );
}

/** The variables of a template (`ContentVariables`), in which WhatsApp takes neither line breaks nor runs of spaces. */
export function templateVariables({ textVariable }: Template, text: string): string {
  return JSON.stringify({ [textVariable]: oneLine(text) });
}

export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
