import type { Gateway, Platform } from './gateway.ts';

/** The gateways of this process by platform. While a new release is rolled out, an older process does not have all. */
export function createGatewayCatalog(
  gateways: readonly Gateway[],
): (platform: Platform) => Gateway | undefined {
  const byPlatform = new Map(gateways.map((gateway) => [gateway.platform, gateway]));
  return (platform) => byPlatform.get(platform);
}
