import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { hashInputs } from './build/inputs.ts';
import { publishFiles, readManifest } from './build/manifest.ts';

const here = import.meta.dirname;
/** Holds `widget.js`, `app-<hash>.js`, the folder `demo` and `manifest.json`, once they are built. */
export const widgetDirectory = join(here, 'dist');

/** Builds the widget and the demo page. */
export async function buildWidget(): Promise<void> {
  // Only now: what is already built can be served without esbuild.
  const { bundleWidget } = await import('./build/bundle.ts');
  const files = await bundleWidget(here);
  await publishFiles(widgetDirectory, files, await hashInputs(here));
}

/**
 * Builds what is missing or older than its sources, by content and not by date: a fresh clone has no meaningful dates.
 * An image without sources or without esbuild serves what was built into it.
 * Answers whether this call has built it.
 * @throws if there is nothing built and no way to build it.
 */
export async function ensureWidgetBuilt(): Promise<boolean> {
  const manifest = await readManifest(widgetDirectory);
  const canBuild = existsSync(join(here, 'src')) && (await hasEsbuild());
  if (!canBuild) {
    if (manifest) return false;
    throw new Error(
      `The chat widget is not built and cannot be: ${here} needs its sources and the package esbuild.`,
    );
  }
  if (manifest?.inputs === (await hashInputs(here))) return false;
  await buildWidget();
  return true;
}

async function hasEsbuild(): Promise<boolean> {
  return import('esbuild').then(
    () => true,
    () => false,
  );
}
