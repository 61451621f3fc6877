import { fileURLToPath } from 'node:url';

const root = new URL('../../', import.meta.url);

/** This tool's own folder, where its own node_modules are. */
export const toolFolder = fileURLToPath(new URL('tools/prisma/', root));
export const prismaFolder = fileURLToPath(new URL('prisma/', root));
/** Where schema.prisma's `output` points, seen from the folder that holds prisma/. */
export const generatedInProject = 'src/connections/prisma/generated';
export const generatedFolder = fileURLToPath(new URL(generatedInProject, root));
