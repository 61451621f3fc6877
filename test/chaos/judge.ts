import type { DeliveryRow, MessageRow, TurnRow } from '../support/journey-rows.ts';
import {
  type Evidence,
  fillMark,
  firstMark,
  lastMark,
  type Post,
  type SaidMessage,
  type TenantEvidence,
} from './evidence.ts';

export type BreachKind =
  | 'lost'
  | 'kept twice'
  | 'unfinished'
  | 'unanswered'
  | 'undelivered'
  | 'unseen'
  | 'answered twice'
  | 'too often twice'
  | 'usage'
  | 'order'
  | 'misplaced'
  | 'stray post'
  | 'violation'
  | 'process ended'
  | 'slow recovery';

/** A promise that was broken: which message, what was found of it, and what people saw. */
export type Breach = { kind: BreachKind; messageId?: string; detail: string; found?: unknown };

export type Verdict = {
  breaches: Breach[];
  accepted: number;
  /** Told of and never accepted, as while nobody is there. They may be kept, once. */
  refused: number;
  replies: number;
  /** Answers that stand on the platform twice and that the service has counted: sent, and cut off before it was recorded. */
  twice: number;
  /** Answers of which the service could not tell whether they stand there twice. */
  doubted: number;
};

/** Judges a run by what the platform saw and what the database holds. The service is asked nothing. */
export function judge(evidence: Evidence): Verdict {
  const breaches: Breach[] = [];
  const blame = (breach: Breach) => void breaches.push(breach);
  const verdict = { breaches, accepted: 0, refused: 0, replies: 0, twice: 0, doubted: 0 };

  for (const tenant of evidence.tenants) {
    const said = evidence.said.filter(({ tenantSlug }) => tenantSlug === tenant.slug);
    const journeys = said.map((message) => followJourney(tenant, message));
    for (const journey of journeys) {
      judgeJourney(journey, blame);
      verdict[journey.said.isAccepted ? 'accepted' : 'refused'] += 1;
      verdict.replies += Math.min(1, journey.posts.length);
      verdict.doubted += journey.isDoubted ? 1 : 0;
      verdict.twice += journey.isDoubted && isSeenTwice(journey) ? 1 : 0;
    }
    judgeUsage(tenant, blame);
    judgeOrder(journeys, blame);
    judgePlaces(evidence, tenant, blame);
  }

  // A conversation sends one message at a time.
  const twiceMax = evidence.interruptions * new Set(evidence.said.map(({ channel }) => channel)).size;
  if (verdict.twice > twiceMax)
    blame({
      kind: 'too often twice',
      detail: `${verdict.twice} answers stand there twice, and ${evidence.interruptions} faults can have cut off ${twiceMax} sends`,
    });
  for (const detail of evidence.violations) blame({ kind: 'violation', detail });
  for (const detail of evidence.unexpectedEnds) blame({ kind: 'process ended', detail });
  const { recoveryMs, usualMs, recoveryMsMax } = evidence;
  if (recoveryMs > usualMs + recoveryMsMax)
    blame({
      kind: 'slow recovery',
      detail: `${Math.round(recoveryMs)} ms after the last fault until every tenant was answered, usually ${Math.round(usualMs)} ms`,
    });
  return verdict;
}

/** What is left of one message: its rows, and the posts that show its answer. */
type Journey = {
  said: SaidMessage;
  inbound: MessageRow[];
  turns: TurnRow[];
  replies: MessageRow[];
  deliveries: DeliveryRow[];
  posts: Post[];
  isDoubted: boolean;
};

function followJourney({ rows, posts }: TenantEvidence, said: SaidMessage): Journey {
  const inbound = rows.messages.filter(
    ({ role, kind, text }) => role === 'visitor' && kind === 'message' && text.includes(firstMark(said.id)),
  );
  const ids = new Set(inbound.map(({ id }) => id));
  const turns = rows.turns.filter(({ message_id: id }) => ids.has(id));
  const replies = rows.messages.filter(
    ({ role, in_reply_to_id: id }) => role !== 'visitor' && id !== null && ids.has(id),
  );
  const replyIds = new Set(replies.map(({ id }) => id));
  const deliveries = rows.deliveries.filter(({ message_id: id }) => replyIds.has(id));
  const deliveryIds = new Set(deliveries.map(({ id }) => id));
  return {
    ...{ said, inbound, turns, replies, deliveries },
    posts: posts.filter(({ text }) => text.includes(said.id)),
    isDoubted: rows.events.some(
      ({ kind, subject }) =>
        kind === 'delivery.doubled' && deliveryIds.has(String(subject['deliveryId'] ?? '')),
    ),
  };
}

function judgeJourney(journey: Journey, blame: (breach: Breach) => void): void {
  const { said, inbound, turns, replies, deliveries, posts } = journey;
  const breach = (kind: BreachKind, detail: string) =>
    blame({ kind, messageId: said.id, detail, found: { said, inbound, turns, replies, deliveries, posts } });

  if (inbound.length > 1) breach('kept twice', `there are ${inbound.length} rows of it`);
  if (isSeenTwice(journey) && !journey.isDoubted)
    breach('answered twice', 'its answer stands there twice, and the service has not counted it');
  if (inbound.length === 0) {
    if (said.isAccepted) breach('lost', 'the platform was told that it was taken, and there is no row of it');
    return;
  }

  if (turns.length !== 1) breach('unfinished', `it has ${turns.length} turns`);
  for (const turn of turns) {
    if (turn.state === 'dead') breach('unanswered', `its turn was given up: ${turn.error_code}`);
    else if (turn.state !== 'done') breach('unfinished', `its turn is ${turn.state}`);
  }
  if (turns.some(({ state }) => state !== 'done')) return;

  if (replies.length !== 1) breach('unfinished', `it has ${replies.length} answers in the transcript`);
  for (const delivery of deliveries) {
    if (delivery.state === 'failed') breach('undelivered', `its answer was given up: ${delivery.error_code}`);
    else if (delivery.state !== 'sent')
      breach('unfinished', `the delivery of its answer is ${delivery.state}`);
  }
  if (deliveries.length !== 1) breach('unfinished', `its answer has ${deliveries.length} deliveries`);
  for (const mark of [firstMark(said.id), lastMark(said.id)])
    if (!posts.some(({ text }) => text.includes(mark)))
      breach('unseen', `nobody sees "${mark}" of its answer`);
  if (posts.some(({ streaming }) => streaming)) breach('unfinished', 'its answer is still being written');
}

function isSeenTwice({ said, posts }: Journey): boolean {
  const seen = (mark: string) => posts.reduce((sum, { text }) => sum + text.split(mark).length - 1, 0);
  return (
    seen(firstMark(said.id)) > 1 || seen(lastMark(said.id)) > 1 || seen(fillMark(said.id)) > said.fillings
  );
}

/** What is charged: one row a turn that has ended with an answer, with the tokens that its model has told. */
function judgeUsage({ rows, meteredTokens }: TenantEvidence, blame: (breach: Breach) => void): void {
  for (const turn of rows.turns) {
    if (turn.state !== 'done') continue;
    const tokens = (turn.input_tokens ?? 0) + (turn.output_tokens ?? 0);
    if (turn.model !== null && tokens === (meteredTokens ?? 0)) continue;
    blame({
      kind: 'usage',
      messageId: turn.message_id,
      detail: `turn ${turn.id} is charged ${tokens} tokens of ${turn.model ?? 'no model'}`,
      found: turn,
    });
  }
}

/**
 * Answers of a conversation stand in the order of what they answer; and what was said after the platform had been told
 * that an earlier message was taken comes after it.
 */
function judgeOrder(journeys: readonly Journey[], blame: (breach: Breach) => void): void {
  for (const conversation of groupBy(journeys, ({ said }) => said.channel)) {
    const kept = conversation
      .flatMap((journey) => journey.inbound.map((row) => ({ ...journey, sequence: Number(row.sequence) })))
      .sort((a, b) => a.sequence - b.sequence);
    for (const [index, journey] of kept.entries()) {
      const [before, later] = [kept[index - 1], kept.slice(index + 1)];
      const [first, second] = [firstSeen(before?.posts), firstSeen(journey.posts)];
      if (first !== undefined && second !== undefined && first > second)
        blame({
          kind: 'order',
          messageId: journey.said.id,
          detail: `its answer stands before that of ${before?.said.id}, which came earlier`,
          found: { posts: [...(before?.posts ?? []), ...journey.posts] },
        });
      const overtaken = later.find(({ said }) => said.isAccepted && said.toldAtMs < journey.said.saidAtMs);
      if (overtaken)
        blame({
          kind: 'order',
          messageId: journey.said.id,
          detail: `it stands before ${overtaken.said.id}, which had been taken before it was said`,
        });
    }
  }
}

function firstSeen(posts: readonly Post[] = []): number | undefined {
  return posts.length === 0 ? undefined : Math.min(...posts.map(({ ts }) => Number(ts)));
}

/** A tenant's rows and posts speak of what was said to it, and its posts stand where it was said. */
function judgePlaces(evidence: Evidence, tenant: TenantEvidence, blame: (breach: Breach) => void): void {
  const speakers = (text: string) => evidence.said.filter(({ id }) => text.includes(id));
  for (const row of tenant.rows.messages)
    for (const said of speakers(row.text))
      if (said.tenantSlug !== tenant.slug)
        blame({
          kind: 'misplaced',
          messageId: said.id,
          detail: `a row of it is kept by ${tenant.slug}`,
          found: row,
        });
  for (const post of tenant.posts) {
    const about = speakers(post.text);
    if (about.length === 0)
      blame({ kind: 'stray post', detail: `nobody has said what it speaks of`, found: post });
    for (const said of about)
      if (said.tenantSlug !== tenant.slug || said.channel !== post.channel)
        blame({
          kind: 'misplaced',
          messageId: said.id,
          detail: `its answer stands in ${post.channel} of ${tenant.slug}`,
          found: post,
        });
  }
}

function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[][] {
  return [...Map.groupBy(items, keyOf).values()];
}
