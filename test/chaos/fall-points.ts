/**
 * The steps of a message's journey at which a process may fall, by the call to the database or to Redis that stands there.
 * `before`: it has not been asked. `after`: it has committed, and the process does not know yet.
 */
export const fallPoints = {
  'before-receive-commit': { side: 'before', call: 'swarmgate.receive_messages_v4' },
  'after-receive-commit': { side: 'after', call: 'swarmgate.receive_messages_v4' },
  /** It is kept, and nobody has been woken. */
  'before-wake': { side: 'before', call: 'redis.evalsha' },
  'before-turn-begin': { side: 'before', call: 'swarmgate.begin_turns_v1' },
  'mid-turn': { side: 'after', call: 'swarmgate.begin_turns_v1' },
  /** The model has answered. */
  'before-step-commit': { side: 'before', call: 'swarmgate.commit_step_v1' },
  'after-step-commit': { side: 'after', call: 'swarmgate.commit_step_v1' },
  'before-stream': { side: 'before', call: 'swarmgate.open_stream_v2' },
  'after-stream': { side: 'after', call: 'swarmgate.open_stream_v2' },
  'before-stream-part': { side: 'before', call: 'swarmgate.keep_stream_part_v2' },
  'after-stream-part': { side: 'after', call: 'swarmgate.keep_stream_part_v2' },
  'before-turn-commit': { side: 'before', call: 'swarmgate.commit_turns_v1' },
  'after-turn-commit': { side: 'after', call: 'swarmgate.commit_turns_v1' },
  /** The platform has taken a part of the message. */
  'before-delivery-part': { side: 'before', call: 'swarmgate.keep_delivery_part_v1' },
  'after-delivery-part': { side: 'after', call: 'swarmgate.keep_delivery_part_v1' },
  /** The platform has taken the whole message. */
  'mid-delivery': { side: 'before', call: 'swarmgate.record_deliveries_v1' },
  'after-delivery': { side: 'after', call: 'swarmgate.record_deliveries_v1' },
  'mid-sweep': { side: 'after', call: 'swarmgate.due_work_v2' },
  'mid-sign-of-life': { side: 'before', call: 'directory.keep_alive_v1' },
  'mid-socket-lease': { side: 'after', call: 'directory.take_socket_v1' },
} as const satisfies Record<string, { side: 'before' | 'after'; call: string }>;

export type FallPoint = keyof typeof fallPoints;

export const allFallPoints = Object.keys(fallPoints) as FallPoint[];
