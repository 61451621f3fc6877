import { readFileSync } from 'node:fs';
import { basename, dirname, extname, resolve } from 'node:path';
import { type ApplyFile, type ApplyKnowledge, applyFile } from '@swarmgate/contract/apply-file.ts';
import { channelPlatforms } from '@swarmgate/contract/channels/catalog.ts';
import { type Document, isNode, isScalar, LineCounter, parseDocument, visit } from 'yaml';
import type { z } from 'zod';
import { AppError } from '#domain/errors.ts';
import type { ApplyPlan, PlannedDocument } from './apply-plan.ts';

/** What is wrong with an apply file: one line each, `file:line: what, and what is expected`. */
export class ApplyFileError extends AppError<'bad_apply_file'> {
  override readonly name = 'ApplyFileError';
  readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    super('bad_apply_file', lines.join('\n'));
    this.lines = lines;
  }
}

/**
 * Reads an apply file, its variables and its documents. Nothing is written anywhere.
 * @throws {ApplyFileError} with every mistake that can be told from the file.
 */
export function readApplyFile(path: string, variable: (name: string) => string | undefined): ApplyPlan {
  const lineCounter = new LineCounter();
  const document = parseDocument(readText(path, path, 0), { lineCounter, prettyErrors: false });
  const at = (offset: number) => `${path}:${lineCounter.linePos(offset).line}`;
  if (document.errors.length > 0) {
    throw new ApplyFileError(document.errors.map((error) => `${at(error.pos[0])}: ${error.message}`));
  }
  const missing = substitute(document, variable);
  if (missing.length > 0) {
    throw new ApplyFileError(
      missing.map(({ name, offset }) => `${at(offset)}: \${${name}} is not set in the environment`),
    );
  }
  const parsed = applyFile.safeParse(unfold(document, path));
  if (!parsed.success) {
    throw new ApplyFileError(
      parsed.error.issues.flatMap((issue) =>
        explain(issue, document).map(({ offset, text }) => `${at(offset)}: ${text}`),
      ),
    );
  }
  return resolveDocuments(parsed.data, path, (place) => at(offsetOf(document, place)));
}

// Aliases that unfold to more and more are refused by the library.
function unfold(document: Document, path: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw new ApplyFileError([`${path}:1: ${(error as Error).message}`]);
  }
}

function substitute(document: Document, variable: (name: string) => string | undefined) {
  const missing: { name: string; offset: number }[] = [];
  visit(document, {
    Scalar(_key, node) {
      if (typeof node.value !== 'string') return;
      node.value = node.value.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_whole, name: string) => {
        const value = variable(name);
        if (value === undefined) missing.push({ name, offset: node.range?.[0] ?? 0 });
        return value ?? '';
      });
    },
  });
  return missing;
}

type Issue = z.core.$ZodIssue;

function explain(issue: Issue, document: Document): { offset: number; text: string }[] {
  const where = issue.path.join('.') || 'the file';
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      offset: offsetOf(document, [...issue.path, key]),
      text: `${where} has "${key}", which this version does not know`,
    }));
  }
  if (issue.code === 'invalid_union' && issue.path.at(-1) === 'platform') {
    return [
      {
        offset: offsetOf(document, issue.path),
        text: `${where} is not a platform of this version; it has: ${channelPlatforms.join(', ')}`,
      },
    ];
  }
  return [{ offset: offsetOf(document, issue.path), text: `${where}: ${issue.message}` }];
}

// The nearest node there is: a missing key is reported where it should have been.
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  for (let depth = path.length; depth >= 0; depth--) {
    const node = document.getIn(path.slice(0, depth), true);
    if (isNode(node) && node.range) return keyOffset(document, path.slice(0, depth)) ?? node.range[0];
  }
  return 0;
}

function keyOffset(document: Document, path: readonly PropertyKey[]): number | undefined {
  const parent = document.getIn(path.slice(0, -1), true) as { items?: { key?: unknown }[] } | undefined;
  const pair = parent?.items?.find((item) => isScalar(item.key) && item.key.value === path.at(-1));
  return isScalar(pair?.key) ? pair.key.range?.[0] : undefined;
}

function resolveDocuments(
  file: ApplyFile,
  path: string,
  at: (place: readonly PropertyKey[]) => string,
): ApplyPlan {
  return {
    organizations: file.organizations.map((organization, o) => ({
      ...organization,
      tenants: organization.tenants.map((tenant, t) => ({
        ...tenant,
        knowledge: tenant.knowledge.map((entry, k) => {
          const where = at(['organizations', o, 'tenants', t, 'knowledge', k, 'path']);
          return readDocument(entry, dirname(resolve(path)), where);
        }),
      })),
    })),
  };
}

const documentBytesMax = 2 * 1024 * 1024;

function readDocument(entry: ApplyKnowledge, folder: string, where: string): PlannedDocument {
  const content = readText(resolve(folder, entry.path), where, documentBytesMax);
  const name = basename(entry.path, extname(entry.path));
  return {
    slug:
      entry.slug ??
      (name
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, '-')
        .replace(/^-+|-+$/g, '')
        .slice(0, 63) ||
        'document'),
    title: entry.title ?? /^#\s+(.+)$/m.exec(content)?.[1]?.trim() ?? name,
    content,
    ...(entry.url && { url: entry.url }),
  };
}

function readText(path: string, where: string, bytesMax: number): string {
  try {
    const bytes = readFileSync(path);
    if (bytesMax > 0 && bytes.length > bytesMax)
      throw new ApplyFileError([`${where}: ${path} is larger than ${bytesMax / 1024 / 1024} MB`]);
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof ApplyFileError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    const reason =
      code === 'ENOENT'
        ? 'there is no such file'
        : code === 'ERR_ENCODING_INVALID_ENCODED_DATA'
          ? 'it is not UTF-8 text'
          : `it cannot be read (${code})`;
    throw new ApplyFileError([`${where}: ${path}: ${reason}`]);
  }
}
