import type { RedisConnections } from '#connections/redis.ts';
import type { Logger } from '#kernel/logger.ts';
import { type LiveUpdate, type LiveUpdates, topicKey } from './live.ts';
import { createSubscribers } from './subscribers.ts';

/** Live updates between processes over Redis pub/sub, one channel a conversation that somebody watches. */
export function createLiveOnRedis(redis: RedisConnections, prefix: string, logger: Logger): LiveUpdates {
  const subscribers = createSubscribers();
  const subscriptions = redis.forSubscriptions();
  const commands = redis.forCommands();
  const channelOf = (key: string) => `${prefix}:live:${key}`;

  subscriptions.on('message', (channel: string, payload: string) => {
    subscribers.tell(channel.slice(channelOf('').length), JSON.parse(payload) as LiveUpdate);
  });

  return {
    publish(topic, update) {
      commands.publish(channelOf(topicKey(topic)), JSON.stringify(update)).catch((error: unknown) => {
        logger.debug({ err: error }, 'a live update was not published');
      });
    },
    async subscribe(topic, onUpdate) {
      const key = topicKey(topic);
      if (subscribers.add(key, onUpdate)) await subscriptions.subscribe(channelOf(key));
      return () => {
        if (subscribers.remove(key, onUpdate)) subscriptions.unsubscribe(channelOf(key)).catch(() => {});
      };
    },
  };
}
