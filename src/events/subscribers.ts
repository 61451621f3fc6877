import type { LiveUpdate } from './live.ts';

type Listener = (update: LiveUpdate) => void;

/** Who listens to which topic in this process. */
export function createSubscribers() {
  const byTopic = new Map<string, Set<Listener>>();
  return {
    /** Answers whether this is the topic's first listener. */
    add(key: string, listener: Listener): boolean {
      const listeners = byTopic.get(key);
      if (listeners) {
        listeners.add(listener);
        return false;
      }
      byTopic.set(key, new Set([listener]));
      return true;
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
  };
}
