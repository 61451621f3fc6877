import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { type BuildOptions, build, type Plugin, transform } from 'esbuild';
import { buildDocuments } from './documents.ts';
import type { BuiltFile } from './manifest.ts';

/** Browsers of 2024 and later. */
const target = 'es2022';
const common = {
  bundle: true,
  minify: true,
  write: false,
  target,
  legalComments: 'none',
  charset: 'utf8',
  logLevel: 'error',
} as const satisfies BuildOptions;

/** Makes all files of the widget and the demo page, in memory. */
export async function bundleWidget(root: string): Promise<BuiltFile[]> {
  const source = join(root, 'src');
  const app = hashed('app', '.js', await bundleScript(join(source, 'app.ts'), { format: 'esm' }));
  const loader = await bundleScript(join(source, 'loader.ts'), {
    format: 'iife',
    define: { appFile: JSON.stringify(app.name) },
  });
  return [
    { file: app.name, content: app.content },
    ...(await bundleDemo(join(root, 'demo'))),
    // Last, because it names the others: while files are put in place one by one, nothing points to one that is not there.
    { file: 'widget.js', content: loader },
  ];
}

async function bundleDemo(root: string): Promise<BuiltFile[]> {
  const assets = [
    hashed('demo', '.css', await minifyStyle(join(root, 'demo.css'))),
    hashed('demo', '.js', await bundleScript(join(root, 'demo.ts'), { format: 'iife' })),
    hashed('favicon', '.svg', await readFile(join(root, 'favicon.svg'), 'utf8')),
  ];
  const readPage = async (name: string, toRoot: string) => {
    let page = await readFile(join(root, name), 'utf8');
    for (const { plainName, name } of assets)
      page = page.replaceAll(`"${plainName}"`, `"${toRoot}demo/${name}"`);
    return page;
  };
  return [
    ...assets.map(({ name, content }) => ({ file: `demo/${name}`, content })),
    ...(await buildDocuments(join(root, '../../..'), await readPage('document.html', '../../'))),
    { file: 'demo/chat.html', content: await readPage('chat.html', '') },
    { file: 'demo/index.html', content: await readPage('index.html', '') },
  ];
}

function hashed(stem: string, extension: string, content: string) {
  const digest = createHash('sha256')
    .update(content)
    .digest('base64url')
    .replaceAll(/[-_]/g, '')
    .slice(0, 10);
  return { plainName: stem + extension, name: `${stem}-${digest}${extension}`, content };
}

async function bundleScript(entry: string, options: BuildOptions): Promise<string> {
  const result = await build({
    ...common,
    ...options,
    entryPoints: [entry],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    plugins: [styleAsText],
  });
  const [output] = result.outputFiles ?? [];
  if (!output) throw new Error(`esbuild made nothing of ${basename(entry)}.`);
  return output.text;
}

/** `import sheet from './x.css'` gives the minified text: the widget adopts it as a constructed style sheet. */
const styleAsText: Plugin = {
  name: 'style-as-text',
  setup(setup) {
    setup.onLoad({ filter: /\.css$/ }, async ({ path }) => ({
      contents: await minifyStyle(path),
      loader: 'text',
    }));
  },
};

async function minifyStyle(path: string): Promise<string> {
  const loader = extname(path) === '.css' ? 'css' : 'text';
  const { code } = await transform(await readFile(path, 'utf8'), { loader, minify: true, target });
  return code.trim();
}
