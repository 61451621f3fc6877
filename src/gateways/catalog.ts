import type { Gateway, Platform } from './gateway.ts';

/** The gateways of this process by platform. */
export function createGatewayCatalog(gateways: readonly Gateway[]): (platform: Platform) => Gateway {
  const byPlatform = new Map(gateways.map((gateway) => [gateway.platform, gateway]));
  return (platform) => {
    const gateway = byPlatform.get(platform);
    if (!gateway) throw new TypeError(`There is no gateway for ${platform}.`);
    return gateway;
  };
}
