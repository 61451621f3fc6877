import { createHash } from 'node:crypto';
import { Router } from 'express';
import { isFromThisMachine } from './this-machine.ts';

/** Where a browser goes once it is signed in. */
const leadsTo = '/docs';

/**
 * `/welcome`: what the link that the service prints at its start opens. The link's secret stands behind its `#`, so a browser
 * sends it nowhere by itself, and whatever looks at links in advance does not use it up: that takes a press of the button.
 * The page is there for who sits at this machine only.
 */
export function welcomeRoute(): Router {
  const router = Router();
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    "connect-src 'self'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  router.get('/welcome', (request, response, next) => {
    if (!isFromThisMachine(request)) return next();
    response.set({ 'Content-Security-Policy': policy, 'Cache-Control': 'no-store' });
    response.type('html').send(page);
  });
  return router;
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

const script = `
const token = location.hash.slice(1);
// Not in the history, nor on a screen that others see.
history.replaceState(null, '', location.pathname);
const button = document.querySelector('button');
const status = document.querySelector('[role=status]');
const say = (text) => { status.textContent = text; };
if (token.startsWith('sgl_')) button.hidden = false;
else say('Open the whole link that the service has printed, with what stands behind the #.');
button.addEventListener('click', async () => {
  button.disabled = true;
  say('');
  try {
    const answer = await fetch('/api/v1/sign-in/this-machine', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-CSRF': '1' },
      body: JSON.stringify({ token }),
    });
    if (answer.ok && (await answer.json()).outcome === 'signed_in') return location.replace('${leadsTo}');
    say(answer.status === 429
      ? 'That was tried too often. Wait a minute, and try again.'
      : 'The link is good no more: it is good once, for an hour, and until somebody has a password or a passkey. The service prints a new one when it starts.');
    button.disabled = answer.status !== 429;
  } catch {
    say('The service does not answer. Does it still run?');
    button.disabled = false;
  }
});
`;

const style = `
:root{color-scheme:light dark}
body{font:16px/1.55 system-ui,sans-serif;max-width:32rem;margin:0 auto;padding:4rem 1rem}
h1{font-size:1.9rem;margin:.5rem 0}
button{font:inherit;font-weight:600;padding:.6rem 1.1rem;border:1px solid;border-radius:.5rem;cursor:pointer}
button:disabled{cursor:default;opacity:.6}
button:focus-visible{outline:2px solid;outline-offset:3px}
`;

const page = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Swarmgate: sign in</title><style>${style}</style></head>
<body><main><h1>Swarmgate</h1>
<p>You are at the machine that this runs on. This signs your browser in as its operator, who also owns the demo tenant.</p>
<p><button type="button" hidden autofocus>Sign in</button></p>
<p role="status"></p>
<noscript><p>This page needs JavaScript. At the command line: <code>npx swarmgate users</code>.</p></noscript>
</main><script>${script}</script></body></html>`;
