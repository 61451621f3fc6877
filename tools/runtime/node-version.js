/** The oldest Node that Swarmgate runs on: the first that strips types from TypeScript without a flag. */
export const oldestNode = '22.18';

/**
 * Whether a Node of this version (`process.versions.node`) runs TypeScript as it is.
 * @param {string} version
 */
export function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major === 22) return minor >= 18;
  if (major === 23) return minor >= 6;
  return major > 23;
}
