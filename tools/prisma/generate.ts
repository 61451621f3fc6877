/** `npm run prisma:generate`: writes the typed client anew from prisma/schema.prisma. The result is committed. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { generateClient } from './prisma-client.ts';
import { generatedFolder, generatedInProject, prismaFolder } from './project-paths.ts';

rmSync(generatedFolder, { recursive: true, force: true }); // so that a removed model leaves no file behind
generateClient(join(prismaFolder, 'schema.prisma'));
console.log(`Generated ${generatedInProject}.`);
