export type InstallAnswer = { status: number; headers: Readonly<Record<string, string>>; body: string };

const policy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/** The link and the code stand in the address; neither is for caches or for the next site. */
const privacy = { 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer' };

/** A page of text for the person who installs. The texts are escaped here. */
export function installPage(status: number, title: string, ...paragraphs: readonly string[]): InstallAnswer {
  const lines = [
    '<!doctype html>',
    '<html lang="en">',
    `<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title></head>`,
    `<body><h1>${escapeHtml(title)}</h1>`,
    ...paragraphs.map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`),
    '</body>',
    '</html>',
  ];
  return {
    status,
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': policy,
      'X-Content-Type-Options': 'nosniff',
      ...privacy,
    },
    body: `${lines.join('\n')}\n`,
  };
}

export function redirectTo(location: string): InstallAnswer {
  return { status: 302, headers: { Location: location, ...privacy }, body: '' };
}

export function withCookie(answer: InstallAnswer, cookie: string): InstallAnswer {
  return { ...answer, headers: { ...answer.headers, 'Set-Cookie': cookie } };
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '');
}
