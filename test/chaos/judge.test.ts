import { describe, expect, test } from 'vitest';
import type { DeliveryRow, JourneyRows, MessageRow, TurnRow } from '../support/journey-rows.ts';
import { type Evidence, fillMark, firstMark, lastMark, type SaidMessage } from './evidence.ts';
import { judge } from './judge.ts';

/** Two messages of one conversation, each taken, answered and seen: what a run should leave behind. */
function goodEvidence() {
  const said = [aMessage('s1m001', 10), aMessage('s1m002', 30)];
  const rows: JourneyRows = {
    conversations: [],
    messages: said.flatMap(({ id }, index) => [inboundRow(id, 2 * index + 1), replyRow(id, 2 * index + 2)]),
    turns: said.map(({ id }) => turnRow(id)),
    steps: [],
    deliveries: said.map(({ id }) => deliveryRow(id)),
    events: [],
  };
  const posts = said.map(({ id }, index) => ({
    ...{ channel: 'C1', ts: `${index + 1}.0`, text: textOf(id), streaming: false },
  }));
  const tenant = { slug: 'shop', meteredTokens: 37, rows, posts };
  const other = { slug: 'other', meteredTokens: undefined, rows: emptyRows(), posts: [] as typeof posts };
  const evidence = {
    ...{ said, violations: [] as string[], unexpectedEnds: [] as string[], interruptions: 1 },
    ...{ recoveryMs: 1_000, usualMs: 500, recoveryMsMax: 10_000 },
    tenants: [tenant, other],
  };
  return { evidence, tenant, other, said };
}

const textOf = (id: string) => [firstMark(id), fillMark(id), lastMark(id)].join(' ');
const kindsOf = (evidence: Evidence) => [...new Set(judge(evidence).breaches.map(({ kind }) => kind))];

test('a run in which everything is kept breaks no promise', () => {
  const { evidence } = goodEvidence();
  expect(judge(evidence)).toEqual({
    ...{ breaches: [], accepted: 2, refused: 0, replies: 2, twice: 0, doubted: 0 },
  });
});

test('a message that nobody has taken may be missing, and may be answered once', () => {
  const { evidence, tenant, said } = goodEvidence();
  for (const message of said) message.isAccepted = false;
  expect(judge(evidence)).toMatchObject({ breaches: [], accepted: 0, refused: 2 });
  tenant.rows = emptyRows();
  tenant.posts = [];
  expect(judge(evidence)).toMatchObject({ breaches: [], refused: 2, replies: 0 });
});

describe('is found:', () => {
  test('a message that was taken and is lost', () => {
    const { evidence, tenant } = goodEvidence();
    tenant.rows = { ...emptyRows(), ...rowsOf(tenant.rows, 's1m001') };
    tenant.posts.pop();
    expect(judge(evidence).breaches).toMatchObject([{ kind: 'lost', messageId: 's1m002' }]);
  });

  test('a message that is kept twice', () => {
    const { evidence, tenant } = goodEvidence();
    tenant.rows.messages.push({ ...inboundRow('s1m001', 9), id: 'another' });
    expect(kindsOf(evidence)).toContain('kept twice');
  });

  test.each<[string, (post: string) => string]>([
    ['an answer that stands there twice', (text) => text],
    ['a half of an answer that stands there twice', (text) => text.slice(0, text.indexOf(' '))],
    ['a middle part of an answer that stands there twice', (text) => text.split(' ')[1] ?? ''],
  ])('%s', (_what, again) => {
    const { evidence, tenant } = goodEvidence();
    tenant.posts.push({ channel: 'C1', ts: '9.0', text: again(textOf('s1m001')), streaming: false });
    expect(judge(evidence)).toMatchObject({
      breaches: [{ kind: 'answered twice', messageId: 's1m001' }],
      twice: 0,
    });
  });

  test('an answer that was given up, or whose delivery was', () => {
    const dead = goodEvidence();
    Object.assign(dead.tenant.rows.turns[1] ?? {}, { state: 'dead' });
    expect(kindsOf(dead.evidence)).toEqual(['unanswered']);
    const failed = goodEvidence();
    Object.assign(failed.tenant.rows.deliveries[1] ?? {}, { state: 'failed' });
    expect(kindsOf(failed.evidence)).toEqual(['undelivered']);
  });

  test.each(['pending', 'running', 'waiting'])('a turn that is still %s', (state) => {
    const { evidence, tenant } = goodEvidence();
    Object.assign(tenant.rows.turns[1] ?? {}, { state });
    expect(kindsOf(evidence)).toEqual(['unfinished']);
  });

  test('an answer that nobody sees, or that is being written for ever', () => {
    const unseen = goodEvidence();
    unseen.tenant.posts.pop();
    expect(kindsOf(unseen.evidence)).toEqual(['unseen']);
    const open = goodEvidence();
    Object.assign(open.tenant.posts[1] ?? {}, { streaming: true });
    expect(kindsOf(open.evidence)).toEqual(['unfinished']);
  });

  test.each<[string, Partial<TurnRow>]>([
    ['is missing', { model: null, input_tokens: null, output_tokens: null }],
    ['lacks its tokens', { input_tokens: null, output_tokens: null }],
    ['counts its tokens twice', { input_tokens: 50, output_tokens: 24 }],
  ])('usage that %s', (_what, usage) => {
    const { evidence, tenant } = goodEvidence();
    Object.assign(tenant.rows.turns[0] ?? {}, usage);
    expect(kindsOf(evidence)).toEqual(['usage']);
  });

  test('a second turn for one message', () => {
    const { evidence, tenant } = goodEvidence();
    tenant.rows.turns.push({ ...turnRow('s1m001'), id: 'another' });
    expect(kindsOf(evidence)).toEqual(['unfinished']);
  });

  test('answers in the wrong order', () => {
    const { evidence, tenant } = goodEvidence();
    Object.assign(tenant.posts[0] ?? {}, { ts: '9.0' });
    expect(kindsOf(evidence)).toEqual(['order']);
  });

  test('messages in another order than the one in which they were taken', () => {
    const { evidence, tenant } = goodEvidence();
    const [first, , second] = tenant.rows.messages;
    Object.assign(first ?? {}, { sequence: '3' });
    Object.assign(second ?? {}, { sequence: '1' });
    const [one, two] = tenant.posts;
    Object.assign(one ?? {}, { ts: '2.0' });
    Object.assign(two ?? {}, { ts: '1.0' });
    expect(kindsOf(evidence)).toEqual(['order']);
  });

  test("an answer in another conversation, in another tenant's workspace, and a row of another tenant", () => {
    const moved = goodEvidence();
    Object.assign(moved.tenant.posts[1] ?? {}, { channel: 'C2' });
    expect(kindsOf(moved.evidence)).toEqual(['misplaced']);
    const leaked = goodEvidence();
    leaked.other.posts.push({ channel: 'C1', ts: '9.0', text: textOf('s1m001'), streaming: false });
    expect(kindsOf(leaked.evidence)).toEqual(['misplaced']);
    const kept = goodEvidence();
    kept.other.rows.messages.push(inboundRow('s1m001', 1));
    expect(kindsOf(kept.evidence)).toEqual(['misplaced']);
  });

  test('a post that speaks of nothing that was said', () => {
    const { evidence, tenant } = goodEvidence();
    tenant.posts.push({ channel: 'C1', ts: '9.0', text: 'Boo', streaming: false });
    expect(kindsOf(evidence)).toEqual(['stray post']);
  });

  test('a token used for what is another tenant’s, a process that ended by itself, and a slow recovery', () => {
    const { evidence } = goodEvidence();
    const worse = { ...evidence, violations: ['x'], unexpectedEnds: ['worker-1 ended: code 1'] };
    expect(kindsOf({ ...worse, recoveryMs: Number.POSITIVE_INFINITY })).toEqual([
      ...['violation', 'process ended', 'slow recovery'],
    ]);
  });
});

describe('an answer that was sent and cut off before that was recorded', () => {
  const doubled = () => {
    const good = goodEvidence();
    good.tenant.posts.push({ channel: 'C1', ts: '9.0', text: textOf('s1m001'), streaming: false });
    good.tenant.rows.events.push({
      kind: 'delivery.doubled',
      subject: { deliveryId: deliveryRow('s1m001').id },
    });
    return good;
  };

  test('may stand there twice, when the service has counted it', () => {
    expect(judge(doubled().evidence)).toMatchObject({ breaches: [], twice: 1, doubted: 1 });
  });

  test('not more often than faults can have cut a send in two', () => {
    expect(kindsOf({ ...doubled().evidence, interruptions: 0 })).toEqual(['too often twice']);
  });

  test('is in doubt when it stands there once', () => {
    const { evidence, tenant } = doubled();
    tenant.posts.pop();
    expect(judge(evidence)).toMatchObject({ breaches: [], twice: 0, doubted: 1 });
  });
});

function aMessage(id: string, saidAtMs: number): SaidMessage {
  return {
    ...{ id, fillings: 1, tenantSlug: 'shop', channel: 'C1', isAccepted: true },
    ...{ saidAtMs, toldAtMs: saidAtMs + 10 },
  };
}

const message = { conversation_id: 'conversation', target_message_id: null, content: {} };

function inboundRow(id: string, sequence: number): MessageRow {
  return {
    ...{ ...message, id: `in ${id}`, sequence: String(sequence), role: 'visitor', kind: 'message' },
    ...{ state: 'final', text: textOf(id), in_reply_to_id: null },
  };
}

function replyRow(id: string, sequence: number): MessageRow {
  return {
    ...{ ...message, id: `out ${id}`, sequence: String(sequence), role: 'agent', kind: 'message' },
    ...{ state: 'final', text: textOf(id), in_reply_to_id: `in ${id}` },
  };
}

function turnRow(id: string): TurnRow {
  return {
    ...{
      id: `turn ${id}`,
      conversation_id: 'conversation',
      message_id: `in ${id}`,
      state: 'done',
      attempt: 1,
    },
    ...{ reply_message_id: `out ${id}`, error_code: null, model: 'm', input_tokens: 25, output_tokens: 12 },
  };
}

function deliveryRow(id: string): DeliveryRow {
  return {
    ...{ id: `delivery ${id}`, conversation_id: 'conversation', message_id: `out ${id}`, state: 'sent' },
    ...{ attempt: 1, error_code: null, external_ids: [] },
  };
}

function emptyRows(): JourneyRows {
  return { conversations: [], messages: [], turns: [], steps: [], deliveries: [], events: [] };
}

/** What the rows hold of one message. */
function rowsOf(rows: JourneyRows, id: string): Pick<JourneyRows, 'messages' | 'turns' | 'deliveries'> {
  const isOf = (row: { id: string }) => row.id.endsWith(id);
  return {
    messages: rows.messages.filter(isOf),
    turns: rows.turns.filter(isOf),
    deliveries: rows.deliveries.filter(isOf),
  };
}
