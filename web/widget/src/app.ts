import { en } from './locale/en.ts';
import { readOptions } from './options.ts';
import { createStylesheet } from './ui/stylesheet.ts';
import { followVisualViewport } from './viewport.ts';
import { Widget } from './widget.tsx';

/** Puts the widget on the page. The loader calls this with where it came from and the attributes of its script. */
export async function mount(
  baseUrl: string,
  attributes: Readonly<Record<string, string | undefined>>,
): Promise<Widget> {
  await pageIsParsed();
  const options = readOptions(attributes);
  const host = document.createElement('swarmgate-chat');
  const root = host.attachShadow({ mode: 'open' });
  root.adoptedStyleSheets = [createStylesheet()];
  if (options.theme) host.style.colorScheme = options.theme;
  followVisualViewport(host);
  document.body.append(host);
  return new Widget({ baseUrl, options, texts: en, root });
}

async function pageIsParsed(): Promise<void> {
  if (document.readyState !== 'loading') return;
  await new Promise((resolve) => document.addEventListener('DOMContentLoaded', resolve, { once: true }));
}
