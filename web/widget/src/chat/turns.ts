/** An answer in the making. `text` is what has arrived without a gap. */
export type Turn = {
  turnId: string;
  attempt: number;
  text: string;
  ahead: readonly Delta[];
  isEnding: boolean;
};

export type Delta = { turnId: string; attempt: number; offset: number; text: string };

/** The turns of a conversation that still run, the oldest first, and the ids of those that are over. */
export type Turns = { running: readonly Turn[]; over: readonly string[] };

export const noTurns: Turns = { running: [], over: [] };

/** Ids that late deltas may still name. */
const overMax = 20;

export function turnStarted(turns: Turns, turnId: string): Turns {
  return changeTurn(turns, turnId, (turn) => turn);
}

/** Adds text at its place. A new attempt starts over; text beyond a gap waits until the gap is closed. */
export function deltaArrived(turns: Turns, delta: Delta): Turns {
  return changeTurn(turns, delta.turnId, (turn) => {
    if (delta.attempt < turn.attempt) return turn;
    const current =
      delta.attempt > turn.attempt ? { ...turn, attempt: delta.attempt, text: '', ahead: [] } : turn;
    return placeDeltas({ ...current, ahead: [...current.ahead, delta] });
  });
}

/** The turn is over, but its message may still be on the way: the draft stays until then, or until `turnOver`. */
export function turnEnding(turns: Turns, turnId: string): Turns {
  const isRunning = turns.running.some((turn) => turn.turnId === turnId);
  return isRunning
    ? changeTurn(turns, turnId, (turn) => ({ ...turn, isEnding: true }))
    : turnOver(turns, turnId);
}

export function turnOver(turns: Turns, turnId: string): Turns {
  return {
    running: turns.running.filter((turn) => turn.turnId !== turnId),
    over: [...turns.over.filter((id) => id !== turnId), turnId].slice(-overMax),
  };
}

/** An answer was committed. Turns run one after the other, so that it belongs to the oldest. */
export function answerArrived(turns: Turns): Turns {
  const oldest = turns.running[0];
  return oldest ? turnOver(turns, oldest.turnId) : turns;
}

function changeTurn(turns: Turns, turnId: string, change: (turn: Turn) => Turn): Turns {
  if (turns.over.includes(turnId)) return turns;
  const known = turns.running.some((turn) => turn.turnId === turnId);
  const begun: Turn = { turnId, attempt: 0, text: '', ahead: [], isEnding: false };
  const running = known ? turns.running : [...turns.running, begun];
  return { ...turns, running: running.map((turn) => (turn.turnId === turnId ? change(turn) : turn)) };
}

function placeDeltas(turn: Turn): Turn {
  let text = turn.text;
  const ahead: Delta[] = [];
  for (const delta of turn.ahead.toSorted((a, b) => a.offset - b.offset)) {
    if (delta.offset > text.length) ahead.push(delta);
    // After a reconnect the text so far comes again, from the start: it may be longer or shorter than what we have.
    else if (delta.offset + delta.text.length > text.length) text = text.slice(0, delta.offset) + delta.text;
  }
  return { ...turn, text, ahead };
}
