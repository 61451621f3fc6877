import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisConnections } from '#connections/redis.ts';
import type { Logger } from '#kernel/logger.ts';
import { type LiveUpdate, type LiveUpdates, parseUpdate, topicKey } from './live.ts';
import { createSubscribers } from './subscribers.ts';

/** Facts do not wait longer than this for a Redis that is away; updates flow when it is back. */
const patienceMs = 1_000;

/** Live updates between processes over Redis pub/sub, one channel a conversation that somebody watches. */
export function createLiveOnRedis(redis: RedisConnections, prefix: string, logger: Logger): LiveUpdates {
  const subscribers = createSubscribers();
  const subscriptions = redis.forSubscriptions();
  const commands = redis.forCommands();
  const channelOf = (key: string) => `${prefix}:live:${key}`;
  let outgoing: { channel: string; payload: string }[] = [];

  // What is said in one step of the loop goes out in one write: a busy worker says several things of each message.
  const sendOut = () => {
    const pipeline = commands.pipeline();
    for (const { channel, payload } of outgoing) pipeline.publish(channel, payload);
    outgoing = [];
    pipeline.exec().catch((error: unknown) => {
      logger.debug({ err: error }, 'live updates were not published');
    });
  };

  subscriptions.on('message', (channel: string, payload: string) => {
    const update = parseUpdate<LiveUpdate>(payload);
    if (update) subscribers.tell(channel.slice(channelOf('').length), update);
  });
  // What was published while the connection was broken is lost, so whoever listens looks again: behind this
  // subscription, because those of before are made anew first.
  subscriptions.on('ready', () => {
    subscriptions.subscribe(channelOf('')).then(
      () => subscribers.tellAll({ kind: 'changed' }),
      () => {},
    );
  });

  return {
    publish(topic, update) {
      if (outgoing.push({ channel: channelOf(topicKey(topic)), payload: JSON.stringify(update) }) === 1)
        setImmediate(sendOut);
    },
    async subscribe(topic, onUpdate) {
      const key = topicKey(topic);
      subscribers.add(key, onUpdate);
      const subscribed = subscriptions.subscribe(channelOf(key)).catch(() => {});
      await Promise.race([subscribed, sleep(patienceMs, undefined, { ref: false })]);
      return () => {
        if (subscribers.remove(key, onUpdate)) subscriptions.unsubscribe(channelOf(key)).catch(() => {});
      };
    },
  };
}
