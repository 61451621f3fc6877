import type { Platform } from '#gateways/gateway.ts';
import type { SocketSessions } from '#gateways/journey.ts';
import type { Scopes } from './scopes.ts';

/** Where the sessions of a platform's sockets stand. Only who holds a socket's lease writes. */
export function createSocketSessions(
  scopes: Scopes,
  { platform, holder }: { platform: Platform; holder: string },
): SocketSessions {
  return {
    async read(app) {
      const [row] = await scopes.call<{ read_socket_session_v1: object | null }>(
        'directory.read_socket_session_v1',
        [platform, app],
      );
      return row?.read_socket_session_v1 ?? undefined;
    },
    async keep(app, session, fault) {
      const [row] = await scopes.call<{ keep_socket_session_v1: boolean }>(
        'directory.keep_socket_session_v1',
        [platform, app, holder, session === undefined ? null : JSON.stringify(session), fault ?? null],
      );
      return row?.keep_socket_session_v1 ?? false;
    },
  };
}
