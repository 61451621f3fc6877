import { glob, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { documentPatterns } from './inputs.ts';
import type { BuiltFile } from './manifest.ts';
import { markdownHtml } from './markdown-html.ts';

/**
 * Makes a page of each document, under `demo/docs`, from a template with `{{title}}` and `{{content}}`. A checkout
 * without documents, as a stage of an image may be, has no pages.
 */
export async function buildDocuments(checkout: string, template: string): Promise<BuiltFile[]> {
  const paths: string[] = [];
  for await (const path of glob(documentPatterns, { cwd: checkout })) paths.push(path);
  const pageOf = (path: string) =>
    paths.some((known) => basename(known) === basename(path)) ? pageName(path) : undefined;
  return Promise.all(
    paths.sort().map(async (path) => {
      const source = await readFile(join(checkout, path), 'utf8');
      const title = /^# (.+)$/m.exec(source)?.[1] ?? basename(path, '.md');
      const content = template
        .replaceAll('{{title}}', title.replaceAll('`', ''))
        .replace('{{content}}', () => markdownHtml(source, pageOf));
      return { file: `demo/docs/${pageName(path)}`, content };
    }),
  );
}

function pageName(path: string): string {
  return `${basename(path, '.md').toLowerCase()}.html`;
}
