import { EventEmitter } from 'node:events';
import pg from 'pg';

export type Notifications = ReturnType<typeof createNotifications>;

/**
 * What `NOTIFY` says on the embedded database's one session, handed to whoever asked for its channel. PGlite's own
 * `listen` does not see what arrives while the session is used through the wire protocol, as it is here.
 */
export function createNotifications(sessions: pg.Pool) {
  const told = new EventEmitter().setMaxListeners(0);
  const listening = new Map<string, Promise<unknown>>();
  sessions.on('connect', (client) => {
    client.on('notification', ({ channel, payload = '' }) => told.emit(channel, payload));
  });

  return {
    /** Resolves once the database tells of the channel; answers nothing, because a channel is never left again. */
    async listen(channel: string, onPayload: (payload: string) => void): Promise<void> {
      told.on(channel, onPayload);
      const known = listening.get(channel) ?? sessions.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
      listening.set(channel, known);
      await known;
    },
    forget(channel: string, onPayload: (payload: string) => void): void {
      told.removeListener(channel, onPayload);
    },
  };
}
