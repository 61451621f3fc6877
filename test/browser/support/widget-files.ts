import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { ensureWidgetBuilt, widgetDirectory } from '../../../web/widget/build.ts';

const types: Record<string, string> = {
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.html': 'text/html; charset=utf-8',
};

/**
 * Builds the widget and answers for its files as the service does; `pages` are further pages by path, in the strictest
 * policy that the widget promises to work under.
 */
export async function serveWidget(pages: Record<string, { html: string; policy: string }>) {
  await ensureWidgetBuilt();
  return (path: string, response: ServerResponse): boolean => {
    const page = pages[path];
    if (page) {
      response.writeHead(200, {
        'Content-Type': 'text/html; charset=utf-8',
        'Content-Security-Policy': page.policy,
      });
      response.end(page.html);
      return true;
    }
    if (path === '/favicon.ico') {
      response.writeHead(204).end();
      return true;
    }
    const file = path === '/widget.js' ? path : /^\/widget(\/app-\w+\.js)$/.exec(path)?.[1];
    if (!file) return false;
    response.writeHead(200, {
      'Content-Type': types[extname(file)] ?? 'text/plain',
      'Access-Control-Allow-Origin': '*',
      'Cross-Origin-Resource-Policy': 'cross-origin',
    });
    response.end(readFileSync(join(widgetDirectory, file)));
    return true;
  };
}
