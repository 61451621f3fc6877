/**
 * How much waits to be kept, in all and of one channel ("lane"). A lane that has as much as it may have takes nothing more
 * until what was left out is told again: what comes later must not stand before it, and the others need the room.
 */
export function createLanes(laneMax: number) {
  const waiting = new Map<string, number>();
  const behind = new Set<string>();
  let count = 0;
  const waitingIn = (lane: string) => waiting.get(lane) ?? 0;

  return {
    get count() {
      return count;
    },
    /** Whether something that was left out would find room now. */
    get hasRoomAgain() {
      return [...behind].some((lane) => waitingIn(lane) <= laneMax / 2);
    },
    /** False: it has to be left out. */
    enter(lane: string): boolean {
      if (behind.has(lane) || waitingIn(lane) >= laneMax) {
        behind.add(lane);
        return false;
      }
      waiting.set(lane, waitingIn(lane) + 1);
      count += 1;
      return true;
    },
    leave(lane: string): void {
      const left = waitingIn(lane) - 1;
      if (left > 0) waiting.set(lane, left);
      else waiting.delete(lane);
      count -= 1;
    },
    isBehind: (lane: string) => behind.has(lane),
    /** From here on what was left out comes again, in order. */
    comesAgain: () => behind.clear(),
  };
}
