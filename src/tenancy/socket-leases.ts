import type { Platform } from '#gateways/gateway.ts';
import type { Scopes } from './scopes.ts';

/** The one socket of an app, over all processes. It is lost when it is not taken again in time. */
export function createSocketLeases(
  scopes: Scopes,
  { platform, holder, leaseMs }: { platform: Platform; holder: string; leaseMs: number },
) {
  return {
    leaseMs,
    /** Takes it or keeps it; false while another process has it. */
    async take(app: string): Promise<boolean> {
      const [row] = await scopes.call<{ take_socket_v1: boolean }>('directory.take_socket_v1', [
        platform,
        app,
        holder,
        leaseMs,
      ]);
      return row?.take_socket_v1 ?? false;
    },
    async release(app: string): Promise<void> {
      await scopes.call('directory.release_socket_v1', [platform, app, holder]);
    },
  };
}
