/** An answer in the making. `isEnding`: nothing more comes, but its message is still on the way. */
export type Turn = { turnId: string; attempt: number; text: string; isEnding: boolean };

export type Delta = { turnId: string; attempt: number; offset: number; text: string };

/** The turns of a conversation that still run, the oldest first, and the ids of those that are over. */
export type Turns = { running: readonly Turn[]; over: readonly string[] };

export const noTurns: Turns = { running: [], over: [] };

/** Ids that late deltas may still name. */
const overMax = 20;

/** Changes a turn, which begins with the first sign of it; what names one that is over comes too late. */
export function changeTurn(turns: Turns, turnId: string, change: (turn: Turn) => Partial<Turn>): Turns {
  if (turns.over.includes(turnId)) return turns;
  const begun: Turn = { turnId, attempt: 0, text: '', isEnding: false };
  const running = turns.running.some((turn) => turn.turnId === turnId)
    ? turns.running
    : [...turns.running, begun];
  return {
    ...turns,
    running: running.map((turn) => (turn.turnId === turnId ? { ...turn, ...change(turn) } : turn)),
  };
}

/**
 * Adds text at its place; a new attempt starts over. The text so far comes once more after a reconnect: what is known
 * changes nothing. Text beyond a gap is left out, the message brings it.
 */
export function deltaArrived(turns: Turns, { turnId, attempt, offset, text }: Delta): Turns {
  return changeTurn(turns, turnId, (turn) => {
    const before = attempt > turn.attempt ? '' : turn.text;
    const continues =
      attempt >= turn.attempt && offset <= before.length && offset + text.length > before.length;
    return continues ? { attempt, text: before.slice(0, offset) + text } : {};
  });
}

export function turnOver({ running, over }: Turns, turnId: string): Turns {
  return {
    running: running.filter((turn) => turn.turnId !== turnId),
    over: [...over, turnId].slice(-overMax),
  };
}

/** An answer was committed. Turns run one after the other, so that it belongs to the oldest. */
export function answerArrived(turns: Turns): Turns {
  const oldest = turns.running[0];
  return oldest ? turnOver(turns, oldest.turnId) : turns;
}
