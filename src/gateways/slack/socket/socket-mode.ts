import { within } from '#kernel/within.ts';
import { keepSlackSocket, type SocketApp, type SocketAppParts } from './socket-app.ts';

export type SlackSocketsParts = SocketAppParts & {
  /** All apps that take what Slack says by a socket, of all tenants. */
  listApps: () => Promise<readonly SocketApp[]>;
};

const pollMs = 2_000;
/** A list that does not come is not waited for any longer. */
const stopTimeoutMs = 3_000;

/**
 * Keeps a socket open for each app that wants one (https://docs.slack.dev/apis/events-api/using-socket-mode), over all
 * processes one an app. Apps come and go while it runs. `stop` closes all sockets and gives their leases back.
 */
export function startSlackSockets(parts: SlackSocketsParts): { stop(): Promise<void> } {
  const { listApps, logger } = parts;
  const kept = new Map<string, { app: SocketApp; stop(): Promise<void> }>();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let polling = Promise.resolve();

  async function poll(): Promise<void> {
    const wanted = new Map((await listApps()).map((app) => [app.appId, app]));
    const gone = [...kept.values()].filter(({ app }) => !isSame(app, wanted.get(app.appId)));
    // Closed before the same app is opened for another channel.
    await Promise.all(gone.map(({ app, stop }) => stop().then(() => kept.delete(app.appId))));
    if (stopped) return;
    for (const app of wanted.values()) {
      if (!kept.has(app.appId)) kept.set(app.appId, { app, ...keepSlackSocket(parts, app) });
    }
  }

  const run = () => {
    polling = poll()
      .catch((error: unknown) => logger.warn({ err: error }, 'the apps with Socket Mode could not be listed'))
      .finally(() => {
        if (!stopped) timer = setTimeout(run, pollMs);
      });
  };
  run();

  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      const stops = [...kept.values()].map(({ stop }) => stop());
      await Promise.all([within(stopTimeoutMs, polling), ...stops]);
    },
  };
}

function isSame(app: SocketApp, other: SocketApp | undefined): boolean {
  return app.tenantId === other?.tenantId && app.channelId === other.channelId;
}
