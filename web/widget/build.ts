import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { hashInputs } from './build/inputs.ts';
import { publishFiles, readManifest } from './build/manifest.ts';

const here = import.meta.dirname;
const directory = join(here, 'dist');

export type WidgetBuild = {
  /** Holds `widget.js`, `app-<hash>.js`, the folder `demo` and `manifest.json`. */
  directory: string;
  /** Whether this call has built them. */
  built: boolean;
};

/** Builds the widget and the demo page into `dist`. */
export async function buildWidget(): Promise<WidgetBuild> {
  // Only now: what is already built can be served without esbuild.
  const { bundleWidget } = await import('./build/bundle.ts');
  const files = await bundleWidget(here);
  await publishFiles(directory, files, await hashInputs(here));
  return { directory, built: true };
}

/**
 * Builds what is missing or older than its sources, by content and not by date: a fresh clone has no meaningful dates.
 * An image without sources or without esbuild serves what was built into it.
 * @throws if there is nothing built and no way to build it.
 */
export async function ensureWidgetBuilt(): Promise<WidgetBuild> {
  const manifest = await readManifest(directory);
  const canBuild = existsSync(join(here, 'src')) && (await hasEsbuild());
  if (!canBuild) {
    if (manifest) return { directory, built: false };
    throw new Error(
      `The chat widget is not built and cannot be: ${here} needs its sources and the package esbuild.`,
    );
  }
  return manifest?.inputs === (await hashInputs(here)) ? { directory, built: false } : buildWidget();
}

async function hasEsbuild(): Promise<boolean> {
  return import('esbuild').then(
    () => true,
    () => false,
  );
}
