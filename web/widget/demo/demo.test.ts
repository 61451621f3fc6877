import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { applyFile } from '@swarmgate/contract/apply-file.ts';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { bundleWidget } from '../build/bundle.ts';

const page = readFileSync(join(import.meta.dirname, 'index.html'), 'utf8');

test('the apply file on the demo page is one that can be applied', () => {
  const source = /<code id="apply-file">([^<]*)<\/code>/.exec(page)?.[1] ?? '';
  const file = applyFile.parse(parse(source));
  expect(file.organizations[0]?.tenants[0]?.channels[0]?.key).toBe('wk_acme');
});

test('every link and file of the built pages is there', async () => {
  const files = await bundleWidget(join(import.meta.dirname, '..'));
  const pages = files.filter(({ file }) => file.endsWith('.html'));
  expect(pages.length).toBeGreaterThan(5);
  const broken = pages.flatMap(({ file, content }) => {
    // Two are served at the root: one to who runs the gateway, one at a tenant's own host.
    const isAtRoot = ['demo/index.html', 'demo/chat.html'].includes(file);
    const address = isAtRoot ? 'https://gateway.invalid/' : `https://gateway.invalid/${file}`;
    return [...content.matchAll(/<[a-z]+\s[^>]*?(?:href|src)="([^"]+)"/g)]
      .map(([, target = '']) => new URL(target, address))
      .filter(({ origin, pathname }) => origin === 'https://gateway.invalid' && pathname !== '/')
      .filter(({ pathname, hash }) => {
        const found = files.find((known) => known.file === pathname.slice(1));
        return (
          !found ||
          (hash && pathname !== new URL(address).pathname && !found.content.includes(`id="${hash.slice(1)}"`))
        );
      })
      .map(({ href }) => `${file}: ${href}`);
  });
  expect(broken).toEqual([]);
});
