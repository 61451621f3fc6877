import type { JourneyRows } from '../support/journey-rows.ts';

/** What a run has left behind: all that the judge may look at. */
export type Evidence = {
  said: readonly SaidMessage[];
  tenants: readonly TenantEvidence[];
  /** Somebody's token used for what is another's, as the platform saw it. */
  violations: readonly string[];
  /** Processes that ended although nobody had killed them. */
  unexpectedEnds: readonly string[];
  /** Faults that may cut an attempt to send in two. */
  interruptions: number;
  /** From the end of the last fault to the first answer of each tenant to a message said after it. */
  recoveryMs: number;
  /** The same before the first fault: what this machine needs for it at this moment. */
  usualMs: number;
  /** How much longer than usual it may take. */
  recoveryMsMax: number;
};

export type SaidMessage = {
  /** Begins its text, and ends it: see {@link firstMark} and {@link lastMark}. */
  id: string;
  tenantSlug: string;
  /** How often {@link fillMark} stands in it. */
  fillings: number;
  /** Where it was said: a channel of a workspace, or a page's conversation. Each conversation has its own. */
  channel: string;
  /** Whether who told of it was told, at least once, that it was taken. */
  isAccepted: boolean;
  saidAtMs: number;
  /** When nobody told of it any more. */
  toldAtMs: number;
};

export type TenantEvidence = {
  slug: string;
  /** What its agent is charged by; `undefined`: an agent without a model behind it. */
  meteredTokens: number | undefined;
  rows: JourneyRows;
  posts: readonly Post[];
};

/** What a bot has posted, as people see it. */
export type Post = { channel: string; ts: string; text: string; streaming: boolean };

/** Words that nothing else contains: at the two ends of a message, and as its filling, so that every part of an answer says whose it is. */
export const firstMark = (id: string) => `${id}a`;
export const lastMark = (id: string) => `${id}z`;
export const fillMark = (id: string) => `${id}m`;
