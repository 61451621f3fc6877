/** Fails when the committed client is not what prisma/schema.prisma generates now. */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateClient } from './prisma-client.ts';
import { generatedFolder, generatedInProject, prismaFolder } from './project-paths.ts';

const folder = mkdtempSync(join(tmpdir(), 'swarmgate-prisma-'));
try {
  // The same relative places as in the project, so that the schema's own `output` leads into the temporary folder.
  mkdirSync(join(folder, 'prisma'));
  const schemaPath = join(folder, 'prisma/schema.prisma');
  copyFileSync(join(prismaFolder, 'schema.prisma'), schemaPath);
  generateClient(schemaPath);

  const differing = differingFiles(filesOf(join(folder, generatedInProject)), filesOf(generatedFolder));
  if (differing.length > 0) {
    console.error(`Not what prisma/schema.prisma generates: ${differing.join(', ')}.`);
    console.error('Run "npm run prisma:generate" and commit the result.');
    process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true });
}

function filesOf(root: string): Map<string, string> {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const paths = entries.map((entry) => join(entry.parentPath, entry.name));
  return new Map(paths.map((path) => [path.slice(root.length + 1), readFileSync(path, 'utf8')]));
}

function differingFiles(expected: Map<string, string>, found: Map<string, string>): string[] {
  const names = new Set([...expected.keys(), ...found.keys()]);
  return [...names].filter((name) => expected.get(name) !== found.get(name)).sort();
}
