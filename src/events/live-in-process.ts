import { type LiveUpdates, topicKey } from './live.ts';
import { createSubscribers } from './subscribers.ts';

/** Live updates within one process, for the embedded set-up. */
export function createLiveInProcess(): LiveUpdates {
  const subscribers = createSubscribers();
  return {
    publish(topic, update) {
      // Listeners run after the publisher's own step, as they would over a network.
      setImmediate(() => subscribers.tell(topicKey(topic), update));
    },
    async subscribe(topic, onUpdate) {
      subscribers.add(topicKey(topic), onUpdate);
      return () => subscribers.remove(topicKey(topic), onUpdate);
    },
  };
}
