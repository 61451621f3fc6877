import { ProblemError } from '#kernel/problem.ts';
import { versionChanged } from './refusals.ts';

/** Versions of what is changed, as `ETag` and `If-Match` (RFC 9110 §8.8.3, §13.1.1). */

export function etagOf(version: number): string {
  return `"${version}"`;
}

/** The version in an `If-Match`; `undefined` for none and for `*`. @throws {ProblemError} 400 for what is no ETag of ours */
export function readIfMatch(header: string | undefined): number | undefined {
  if (header === undefined || header.trim() === '*') return undefined;
  const [, version] = /^\s*"(\d{1,9})"\s*$/.exec(header) ?? [];
  if (version === undefined)
    throw new ProblemError(
      400,
      'invalid_if_match',
      'Invalid If-Match',
      'Send the ETag of the last answer as it was.',
    );
  return Number(version);
}

/** @throws {ProblemError} 412 when the caller has seen another version */
export function refuseOtherVersion(version: number, seenVersion: number | undefined): void {
  if (seenVersion !== undefined && seenVersion !== version) throw versionChanged();
}
