import { TenantNotFoundError } from '#tenancy/scope-errors.ts';
import type { FileLinks } from './file-links.ts';
import { FileNotFoundError, type FileStore, FileTooLargeError, FileUnavailableError } from './file-store.ts';

/**
 * Opens what a link leads to; `undefined` when it leads nowhere: a wrong or expired token, a file that was deleted or can
 * not be had any more. What may pass (the platform or the store is away) rejects.
 */
export function createOpenLink(links: FileLinks, files: Pick<FileStore, 'open'>) {
  return async (token: string): Promise<Awaited<ReturnType<FileStore['open']>> | undefined> => {
    const target = links.check(token);
    if (!target) return undefined;
    try {
      return await files.open(target.tenantId, target.fileId);
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  };
}

function isGone(error: unknown): boolean {
  return (
    error instanceof FileNotFoundError ||
    error instanceof TenantNotFoundError ||
    error instanceof FileTooLargeError ||
    (error instanceof FileUnavailableError && error.retry === 'never')
  );
}
