import type { Post } from './evidence.ts';
import type { PlannedMessage, TenantKind } from './load-plan.ts';

/** A tenant as a run knows it, however people reach it. */
export type RunTenant = {
  kind: TenantKind;
  slug: string;
  /** What one answer of its agent is charged with; `undefined`: there is no model behind it. */
  meteredTokens: number | undefined;
  /** It is there in other runs too, so that only this run's conversations may be looked at. */
  isLasting: boolean;
  /** Begins a conversation. Its `name` is its own among those of all runs. */
  open(name: string, place: PlannedMessage['place']): Promise<Conversation>;
  /** What people see of its answers, in all its conversations. */
  posts(): Promise<Post[]>;
};

export type Conversation = {
  /** Where its posts stand. */
  channel: string;
  /** Says something; resolves with whether it was taken, when nobody tries any more. */
  say(text: string, manner: PlannedMessage['manner']): Promise<boolean>;
};
