import { en, type Texts } from './en.ts';

/**
 * Locales besides English, by language, each in a file of its own that is fetched only when a page asks for it:
 * `de: () => import('./de.ts').then((file) => file.de)`.
 */
const loaders: Readonly<Record<string, () => Promise<Texts>>> = {};

/** The texts for a locale such as `de-CH`; English where there are none. */
export async function loadTexts(locale: string): Promise<Texts> {
  const language = locale.toLowerCase().split('-')[0] ?? '';
  const load = Object.hasOwn(loaders, language) ? loaders[language] : undefined;
  return load ? load().catch(() => en) : en;
}
