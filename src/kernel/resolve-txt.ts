import { promises as dns } from 'node:dns';
import { AppError } from '#domain/errors.ts';

/** What the TXT records of a name say, each as one text; none where there is no such name. */
export type ResolveTxt = (name: string) => Promise<readonly string[]>;

/** No name server has answered, so nothing can be told. */
export class NameServerError extends AppError<'name_server_unavailable'> {
  override readonly name = 'NameServerError';

  constructor(cause: unknown) {
    super('name_server_unavailable', 'No name server has answered; try again later.', {
      retry: 'later',
      cause,
    });
  }
}

const timeoutMs = 2_000;
const tries = 2;
/** Whoever owns a name may have it say as much as they like. */
const recordsMax = 50;
const lengthMax = 500;

const nothingThere: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA', 'NOTFOUND', 'NODATA']);

/** Asks the name servers of this machine, for a few seconds at most. Rejects with {@link NameServerError}. */
export function createTxtResolver(): ResolveTxt {
  return async (name) => {
    const resolver = new dns.Resolver({ timeout: timeoutMs, tries });
    try {
      const records = await resolver.resolveTxt(name);
      return records.slice(0, recordsMax).map((chunks) => chunks.join('').slice(0, lengthMax));
    } catch (error) {
      if (nothingThere.has(String((error as NodeJS.ErrnoException).code))) return [];
      throw new NameServerError(error);
    }
  };
}
