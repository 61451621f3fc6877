import { AppError } from '#domain/errors.ts';

/** A variable of the environment is not as it must be. The message is one line and holds no secret. */
export class ConfigError extends AppError<'bad_config'> {
  override readonly name = 'ConfigError';

  constructor(variable: string, holds: string, expected: string) {
    super('bad_config', `${variable} holds ${holds}; expected ${expected}.`);
  }
}

const passwordParameter = /^(?:password|pass|pwd|token|secret)$/i;

/** A URL without its passwords, fit for a message or a log line. Of what is no whole URL only the beginning is shown. */
export function maskUrl(text: string): string {
  if (!/[:@=]/.test(text)) return text;
  const hidden = `${text.slice(0, Math.max(text.indexOf(':'), 0))}… (not shown)`;
  if (!URL.canParse(text) || !text.includes('://')) return hidden;
  const url = new URL(text);
  // A password with a sign in it that URLs give a meaning ends up behind the host.
  if (/@/.test(url.pathname + url.search + url.hash) || url.hash !== '') return hidden;
  if (url.password !== '') url.password = '***';
  for (const name of url.searchParams.keys())
    if (passwordParameter.test(name)) url.searchParams.set(name, '***');
  return url.href;
}
