import { describe, expect, test } from 'vitest';
import { answerArrived, changeTurn, deltaArrived, noTurns, type Turns, turnOver } from './turns.ts';

const delta = (offset: number, text: string, attempt = 1, turnId = 'a') => ({
  turnId,
  attempt,
  offset,
  text,
});
const draft = (turns: Turns) => turns.running.map(({ text }) => text);
const after = (...deltas: ReturnType<typeof delta>[]) => draft(deltas.reduce(deltaArrived, noTurns));

describe('the text of an answer in the making', () => {
  test('grows piece by piece', () => {
    expect(after(delta(0, 'One, '), delta(5, 'two'))).toEqual(['One, two']);
  });

  test('takes what comes twice once', () => {
    expect(after(delta(0, 'One, '), delta(5, 'two'), delta(0, 'One, '), delta(3, ', tw'))).toEqual([
      'One, two',
    ]);
  });

  test('is brought level by the text so far, after a reconnect', () => {
    expect(after(delta(0, 'One'), delta(0, 'One, two, three'))).toEqual(['One, two, three']);
  });

  test('leaves out what stands beyond a gap', () => {
    expect(after(delta(0, 'One'), delta(9, 'three'), delta(3, ', '))).toEqual(['One, ']);
  });

  test('starts over with a new attempt, and late pieces of the old one change nothing', () => {
    expect(after(delta(0, 'Old text'), delta(0, 'New', 2), delta(8, ' goes on', 1))).toEqual(['New']);
  });
});

describe('a turn', () => {
  test('is there from its first sign on, before there is any text', () => {
    expect(draft(changeTurn(noTurns, 'a', () => ({})))).toEqual(['']);
  });

  test('that is over does not come back with a late piece', () => {
    expect(draft(deltaArrived(turnOver(deltaArrived(noTurns, delta(0, 'x')), 'a'), delta(1, 'y')))).toEqual(
      [],
    );
  });

  test('is replaced by the answer that it made, the oldest first', () => {
    const two = [delta(0, 'first'), delta(0, 'second', 1, 'b')].reduce(deltaArrived, noTurns);
    expect(draft(answerArrived(two))).toEqual(['second']);
  });
});
