import type { Method } from './method.ts';

/** https://docs.slack.dev/reference/methods/apps.connections.open */
export const appMethods: Readonly<Record<string, Method>> = {
  'apps.connections.open': {
    token: 'app',
    tier: 1,
    run: ({ stage, app }) => ({ url: stage.sockets.newLink(app.appId) }),
  },
};
