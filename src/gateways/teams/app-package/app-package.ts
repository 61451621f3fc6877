import { zipSync } from 'fflate';
import { teamsIcons } from './icons.ts';
import { type ManifestOptions, teamsManifest } from './manifest.ts';

/** What is uploaded to Teams: a zip with the manifest and the icons, the same bytes whenever it is made. */
export function teamsAppPackage(options: ManifestOptions): Uint8Array {
  const { color, outline } = teamsIcons();
  const manifest = new TextEncoder().encode(`${JSON.stringify(teamsManifest(options), undefined, 2)}\n`);
  return zipSync({ 'manifest.json': manifest, 'color.png': color, 'outline.png': outline }, { mtime: made });
}

/** The first day that a zip can name. */
const made = new Date(1980, 0, 1);
