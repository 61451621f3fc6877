/** A value that tells its listeners when it changes, at most once a task however many changes there are. */
export class Store<State extends object> {
  #state: State;
  #listeners: ((state: State) => void)[] = [];
  #isScheduled = false;

  constructor(initial: State) {
    this.#state = initial;
  }

  get state(): State {
    return this.#state;
  }

  set(change: Partial<State>): void {
    this.#state = { ...this.#state, ...change };
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      for (const listener of this.#listeners) listener(this.#state);
    });
  }

  subscribe(listener: (state: State) => void): void {
    this.#listeners.push(listener);
  }
}
