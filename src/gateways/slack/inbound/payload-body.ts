import type { RawRequest, Verified } from '../../gateway.ts';
import { type Fields, fieldsOf } from './payload-fields.ts';

/** What was posted to one of the app's addresses. The fields of a command are texts, as a form has them. */
export type SlackPayload = { endpoint: 'events' | 'interactions' | 'commands'; fields: Fields };

/** `undefined`: not one of the addresses, or not written as that address is written to. */
export function readPayload({ endpoint, body }: Verified<RawRequest>): SlackPayload | undefined {
  switch (endpoint) {
    case 'events':
      return withFields(endpoint, parseJson(body.toString('utf8')));
    case 'interactions':
      return withFields(endpoint, parseJson(readForm(body).get('payload') ?? ''));
    case 'commands':
      return withFields(endpoint, Object.fromEntries(readForm(body)));
    default:
      return undefined;
  }
}

/**
 * Whether it is the occasional post by which Slack looks at the certificate of an address.
 *
 * @see https://docs.slack.dev/interactivity/implementing-slash-commands/
 */
export function isCertificateCheck({ endpoint, body }: Verified<RawRequest>): boolean {
  return endpoint !== 'events' && readForm(body).get('ssl_check') === '1';
}

function readForm(body: Buffer): URLSearchParams {
  return new URLSearchParams(body.toString('utf8'));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function withFields(endpoint: SlackPayload['endpoint'], value: unknown): SlackPayload | undefined {
  const fields = fieldsOf(value);
  return Object.keys(fields).length > 0 ? { endpoint, fields } : undefined;
}
