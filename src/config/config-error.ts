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
export function maskUrl(address: string): string {
  // Up to the last @, because a password that should have been encoded (a#b, a/b, a@b) ends a URL's host too early.
  const text = address.replace(/(:\/\/[^:@/]*):.*@/s, '$1:***@');
  if (!/[:@=]/.test(text)) return text;
  if (!URL.canParse(text) || !text.includes('://'))
    return `${text.slice(0, Math.max(text.indexOf(':'), 0))}… (not shown)`;
  const url = new URL(text);
  if (url.password !== '') url.password = '***';
  for (const name of url.searchParams.keys())
    if (passwordParameter.test(name)) url.searchParams.set(name, '***');
  return url.href;
}
