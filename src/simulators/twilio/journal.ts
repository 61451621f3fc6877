import type { FaultKind } from './faults.ts';

/** A call of the API. */
export type ApiCall = {
  at: Date;
  method: string;
  path: string;
  /** The account that the credentials are of; `undefined`: they are of none. */
  accountSid: string | undefined;
  /** The form of a post, else the query. */
  params: URLSearchParams;
  /** `undefined`: no answer was given. */
  status: number | undefined;
  /** Twilio's error code, of an answer that says no. */
  code: number | undefined;
  fault: FaultKind | undefined;
};

export type SentMedia = { url: string; contentType: string; bytes: Buffer };

/** A message that has reached a person. */
export type SentMessage = {
  at: Date;
  sid: string;
  direction: 'outbound-api' | 'outbound-reply';
  from: string;
  to: string;
  body: string;
  media: readonly SentMedia[];
  segments: number;
  accountSid: string;
  messagingServiceSid: string | undefined;
  contentSid: string | undefined;
  contentVariables: string | undefined;
};

/** What Twilio itself answers to STOP, START and HELP. */
export type TwilioReply = { accountSid: string; from: string; to: string; body: string };

/** One attempt to tell a customer something. */
export type Delivery = {
  /** Without the connection overrides. */
  url: string;
  kind: 'message' | 'status';
  messageSid: string;
  params: URLSearchParams;
  /** Counted from 1; above it, an attempt after one that failed. */
  attempt: number;
  /** `undefined`: there was no answer. */
  status: number | undefined;
  failure: 'connection' | 'timeout' | undefined;
  contentType: string | undefined;
  body: string;
  tookMs: number;
};

/**
 * Something that no correct client does. `credentials`: a token that is not the account's, or of another account than
 * the address names. `foreign_sender`: a number or service of another account. `forwarded_credentials`: the API's
 * credentials were shown to the media store. `twiml`: a webhook was answered with something else. `late_answer`: after
 * the deadline.
 */
export type Violation = {
  kind: 'credentials' | 'foreign_sender' | 'forwarded_credentials' | 'twiml' | 'late_answer';
  detail: string;
};

export type Journal = ReturnType<typeof createJournal>;

/** All that happened, for a judge to read. */
export function createJournal() {
  const journal = {
    calls: [] as ApiCall[],
    sent: [] as SentMessage[],
    twilioReplies: [] as TwilioReply[],
    violations: [] as Violation[],
    deliveries: [] as Delivery[],
  };
  return {
    ...journal,
    violate: (kind: Violation['kind'], detail: string) => void journal.violations.push({ kind, detail }),
    forget(): void {
      for (const list of Object.values(journal)) list.length = 0;
    },
  };
}
