import { AppError } from '#domain/errors.ts';

/** A variable of the environment is not as it must be. The message is one line and holds no secret. */
export class ConfigError extends AppError<'bad_config'> {
  override readonly name = 'ConfigError';

  constructor(variable: string, holds: string, expected: string) {
    super('bad_config', `${variable} holds ${holds}; expected ${expected}.`);
  }
}

/** A URL without its password, fit for a message or a log line. */
export function maskUrl(text: string): string {
  return text.replace(/(:\/\/[^:/@\s]*):[^@\s]*@/, '$1:***@');
}
