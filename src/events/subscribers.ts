import type { LiveUpdate } from './live.ts';

type Listener = (update: LiveUpdate) => void;

/** Who listens to which topic in this process. */
export function createSubscribers() {
  const byTopic = new Map<string, Set<Listener>>();
  return {
    add(key: string, listener: Listener): void {
      const listeners = byTopic.get(key) ?? new Set();
      byTopic.set(key, listeners.add(listener));
    },
    /** Answers whether it was the topic's last listener. */
    remove(key: string, listener: Listener): boolean {
      const listeners = byTopic.get(key);
      if (!listeners?.delete(listener) || listeners.size > 0) return false;
      return byTopic.delete(key);
    },
    tell(key: string, update: LiveUpdate): void {
      for (const listener of byTopic.get(key) ?? []) listener(update);
    },
    tellAll(update: LiveUpdate): void {
      for (const listeners of byTopic.values()) for (const listener of listeners) listener(update);
    },
  };
}
