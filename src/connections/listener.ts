import pg from 'pg';

const reconnectAfterMs = 1_000;

type Handler = { onPayload: (payload: string) => void; onListeningAgain: () => void };

/** One connection that only listens, made anew when it breaks. What was told meanwhile is lost, as NOTIFY has it. */
export function createListener(url: string, onError: (error: Error) => void) {
  const handlers = new Map<string, Handler[]>();
  let client: pg.Client | undefined;
  let connecting: Promise<pg.Client> | undefined;
  let closed = false;

  const connect = async (): Promise<pg.Client> => {
    const next = new pg.Client({
      connectionString: url,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      options: '-c role=swarmgate_service',
      application_name: 'swarmgate-listen',
    });
    next.on('notification', ({ channel, payload }) => {
      for (const { onPayload } of handlers.get(channel) ?? []) onPayload(payload ?? '');
    });
    next.on('error', (error) => {
      onError(error);
      if (client === next) reconnect();
    });
    try {
      await next.connect();
      for (const channel of handlers.keys()) await next.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
    } catch (error) {
      next.end().catch(() => {});
      connecting = undefined;
      throw error;
    }
    client = next;
    return next;
  };

  const reconnect = () => {
    client = undefined;
    connecting = undefined;
    if (closed) return;
    setTimeout(() => {
      if (!closed) ensure().then(tellAgain, reconnect);
    }, reconnectAfterMs).unref();
  };

  const tellAgain = () => {
    for (const { onListeningAgain } of [...handlers.values()].flat()) onListeningAgain();
  };

  const ensure = () => (connecting ??= connect());

  return {
    async listen(
      channel: string,
      onPayload: (payload: string) => void,
      onListeningAgain: () => void = () => {},
    ): Promise<void> {
      const known = handlers.get(channel);
      handlers.set(channel, [...(known ?? []), { onPayload, onListeningAgain }]);
      const current = await ensure();
      if (!known) await current.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
    },
    async close(): Promise<void> {
      closed = true;
      await client?.end();
    },
  };
}
