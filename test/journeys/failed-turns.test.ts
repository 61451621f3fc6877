import { describe, expect, test } from 'vitest';
import { fromWire, toWire } from '#domain/ids.ts';
import { failureMessage } from '#locales/en.ts';
import { ModelError, type ModelFailure } from '#models/model.ts';
import { say, scriptedAgent } from '../fakes/scripted-agent.ts';
import { sharedService } from '../support/a-service.ts';
import type { Visitor } from '../support/a-visitor.ts';
import { eventually } from '../support/eventually.ts';

let gate = Promise.withResolvers<void>();
const { agent, turns } = scriptedAgent(async function* ({ message: { text }, turnId }) {
  const [what, kind] = text.split(' ');
  const attempts = turns.filter((turn) => turn.turnId === turnId).length;
  if (what === 'wait') await gate.promise;
  if (what === 'fail' || (what === 'stumble' && attempts === 1))
    throw new ModelError(kind as ModelFailure, 'The model said no.');
  if (what === 'overload') throw new ModelError('rate_limited', 'Later.', { retryAfterMs: 180_000 });
  if (what === 'break') throw new TypeError('A fault of ours.');
  yield* say(`Answer to ${text}`);
});
const shared = sharedService({ overrides: { wrapAgents: () => agent } });

describe('a model that fails for the moment', () => {
  test.each<ModelFailure>(['rate_limited', 'unavailable', 'timeout', 'interrupted'])(
    '(%s) is asked again, and the visitor sees only the answer',
    async (kind) => {
      const visitor = await shared().aVisitor();

      const sent = await visitor.send(`stumble ${kind}`);

      expect(await visitor.answerTo(sent)).toMatchObject({
        role: 'agent',
        text: `Answer to stumble ${kind}`,
      });
      expect(await turnOf(sent)).toMatchObject({ state: 'done', attempt: 2 });
      expect(await visitor.history()).toHaveLength(2);
    },
  );

  test('is not asked a fifth time', async () => {
    const visitor = await shared().aVisitor();
    const sent = await attempted(visitor, 'fail unavailable', 3);

    expect(await visitor.answerTo(sent)).toMatchObject({ role: 'system' });
    expect(await turnOf(sent)).toMatchObject({ state: 'dead', attempt: 4, error_code: 'model_unavailable' });
  });

  test('and wants more time than a visitor has is not asked again', async () => {
    const visitor = await shared().aVisitor();
    const sent = await visitor.send('overload');

    expect(await visitor.answerTo(sent)).toMatchObject({ role: 'system', text: textFor('rate_limited') });
    expect(await turnOf(sent)).toMatchObject({ state: 'dead', attempt: 1, error_code: 'model_rate_limited' });
  });
});

describe('a turn that cannot be answered', () => {
  test.each<ModelFailure>(['refused_key', 'bad_request', 'not_configured', 'filtered'])(
    '(%s) is one honest message, and a dead turn with its reason',
    async (kind) => {
      const visitor = await shared().aVisitor();
      const page = await visitor.listen();

      const sent = await visitor.send(`fail ${kind}`);
      const answer = await visitor.answerTo(sent);
      await page.until(({ event, data }) => event === 'turn' && data.state === 'failed');

      expect(answer).toMatchObject({ role: 'system', text: textFor(kind) });
      const dead = await turnOf(sent);
      expect(dead).toMatchObject({ state: 'dead', attempt: 1, error_code: `model_${kind}` });
      expect(await deadEventsOf(dead?.id)).toEqual([
        expect.objectContaining({ turnId: dead?.id, error: `model_${kind}` }),
      ]);
      await visitor.answerTo(await visitor.send('Hello'));
      expect((await visitor.history()).map(({ role }) => role)).toEqual([
        'visitor',
        'system',
        'visitor',
        'agent',
      ]);
    },
  );

  test('by a fault of ours says so, without saying which, and is logged', async () => {
    const visitor = await shared().aVisitor();

    const sent = await visitor.send('break');

    expect(await visitor.answerTo(sent)).toMatchObject({ role: 'system', text: failureMessage(undefined) });
    const dead = await turnOf(sent);
    expect(dead).toMatchObject({ state: 'dead', error_code: 'internal' });
    expect(shared().logLines).toContainEqual(
      expect.objectContaining({
        level: 'error',
        turnId: dead?.id,
        code: 'internal',
        reason: 'A fault of ours.',
      }),
    );
  });

  test('because it brought the process down again and again is given up, and the next one is answered', async () => {
    const visitor = await shared().aVisitor();
    const poison = await attempted(visitor, 'poison', 10);
    const next = await visitor.send('Hello');

    expect(await visitor.answerTo(poison)).toMatchObject({ role: 'system' });
    expect(await visitor.answerTo(next)).toMatchObject({ role: 'agent' });
    const dead = await turnOf(poison);
    expect(dead).toMatchObject({ state: 'dead', error_code: 'turn_poisoned' });
    expect(await deadEventsOf(dead?.id)).toHaveLength(1);
    expect(turns.map(({ message }) => message.text)).not.toContain('poison');
  });
});

/** Posts a message whose turn has been begun a number of times already when it is next begun. */
async function attempted(visitor: Visitor, text: string, attempts: number): Promise<{ id: string }> {
  gate = Promise.withResolvers<void>();
  await visitor.send('wait');
  await eventually(() => expect(turns.at(-1)?.message.text).toBe('wait'));
  const sent = await visitor.send(text);
  const tenantId = turns.at(-1)?.tenantId ?? '';
  await shared().app.storage.scopes.inTenant(tenantId, (unit) =>
    unit.sql('UPDATE swarmgate.turns SET attempt = $1 WHERE message_id = $2', [
      attempts,
      fromWire('message', sent.id),
    ]),
  );
  gate.resolve();
  return sent;
}

async function turnOf(sent: { id: string }) {
  const { turns: rows } = await shared().rows();
  return rows.find((turn) => toWire('message', turn.message_id) === sent.id);
}

async function deadEventsOf(turnId: string | undefined) {
  const { events } = await shared().rows();
  return events
    .filter(({ kind, subject }) => kind === 'turn.dead' && subject['turnId'] === turnId)
    .map(({ subject }) => subject);
}

function textFor(kind: ModelFailure): string {
  return failureMessage(new ModelError(kind, ''));
}
