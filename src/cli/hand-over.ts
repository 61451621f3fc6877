import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { DeadLetter } from '#conversations/dead-letters/dead-letter.ts';
import type { ShownDeadLetter } from '#conversations/dead-letters/show-dead-letter.ts';
import { AppError } from '#domain/errors.ts';
import type { ApplyPlan, Change } from '#tenancy/apply/apply-plan.ts';
import type { SimulatedChannel } from '#tenancy/simulated-channel.ts';
import type { ApiKeysWish, ListedApiKey } from './api-keys.ts';
import type { AuditAnswer, AuditWish } from './audit.ts';
import type { DeadLettersWish } from './dead-letters.ts';
import type { Finding } from './findings.ts';
import type { InstallLink, LinkWish } from './install-link.ts';
import type { ListedMember, MembersWish } from './members.ts';
import type {
  ListedOrganization,
  ListedOrganizationMember,
  OrganizationMembersWish,
  OrganizationsWish,
} from './organizations.ts';
import type { ListedTenant, TenantsWish } from './tenants.ts';
import type { ListedUser, UsersWish } from './users.ts';

/**
 * How a command reaches a service that has the embedded database: one JSON document each way over a local socket in
 * DATA_DIR, which only its owner may open.
 */
export type HandOverRequest =
  | { command: 'apply'; plan: ApplyPlan; dryRun: boolean }
  | { command: 'doctor' }
  | ({ command: 'install-link' } & LinkWish)
  | { command: 'open-simulation'; simulated: SimulatedChannel }
  | { command: 'close-simulation'; tenant: string; slug: string }
  | { command: 'dead-letters'; wish: DeadLettersWish }
  | { command: 'api-keys'; wish: ApiKeysWish }
  | { command: 'audit'; wish: AuditWish }
  | { command: 'users'; wish: UsersWish }
  | { command: 'members'; wish: MembersWish }
  | { command: 'tenants'; wish: TenantsWish }
  | { command: 'organizations'; wish: OrganizationsWish }
  | { command: 'organization-members'; wish: OrganizationMembersWish };

export type HandOverAnswers = {
  apply: Change[];
  doctor: Finding[];
  'install-link': InstallLink;
  /** The channel's key, and where the service is on this machine. */
  'open-simulation': { key: string; url: string };
  'close-simulation': null;
  'dead-letters': DeadLetter[] | ShownDeadLetter;
  'api-keys': ListedApiKey[];
  audit: AuditAnswer;
  users: ListedUser[];
  members: ListedMember[];
  tenants: ListedTenant[];
  organizations: ListedOrganization[];
  'organization-members': ListedOrganizationMember[];
};

type Answer = { result: unknown } | { error: { code: string; message: string } };

/** The service refused or failed at what it was handed. */
class HandedOverError extends AppError {
  override readonly name = 'HandedOverError';
}

/** A socket's path may have about 107 bytes (sun_path); longer ones fail with EINVAL. */
const pathBytesMax = 100;

/** Takes commands until `close`. */
export async function acceptHandOver(
  dataDir: string,
  run: (request: HandOverRequest) => Promise<unknown>,
): Promise<{ close(): Promise<void> }> {
  const path = preparePath(dataDir);
  // Connections that have not said yet what they want; a command that is at work is waited for.
  const asking = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {}); // a command that was broken off is nothing to the service
    asking.add(socket);
    socket.once('close', () => asking.delete(socket));
    const begin = (request: HandOverRequest) => {
      asking.delete(socket);
      return run(request);
    };
    answer(socket, begin).catch(() => socket.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    listenForOwner(server, path, resolve);
  });
  return {
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of asking) socket.destroy();
      await closed;
      forgetPath(dataDir, path);
    },
  };
}

/** Hands a command to the service that runs on `dataDir`; `undefined` when none does. */
export async function handOver<Command extends HandOverRequest['command']>(
  dataDir: string,
  request: Extract<HandOverRequest, { command: Command }>,
): Promise<HandOverAnswers[Command] | undefined> {
  const socket = await connect(pathOf(dataDir));
  if (!socket) return undefined;
  socket.end(JSON.stringify(request));
  const said = await text(socket).catch(() => '');
  if (said === '') throw new HandedOverError('service_ended', 'The service ended before it had answered.');
  const answer = JSON.parse(said) as Answer;
  if ('error' in answer) throw new HandedOverError(answer.error.code, answer.error.message);
  return answer.result as HandOverAnswers[Command];
}

// Nobody else can open the socket at any moment, not even between its making and a chmod.
function listenForOwner(server: Server, path: string, onListening: () => void): void {
  const mask = process.umask(0o177);
  server.listen(path, onListening);
  process.umask(mask);
}

async function answer(socket: Socket, run: (request: HandOverRequest) => Promise<unknown>): Promise<void> {
  const request = JSON.parse(await text(socket)) as HandOverRequest;
  const reply: Answer = await run(request).then(
    (result) => ({ result: result ?? null }),
    (error: unknown) => ({
      error: {
        code: error instanceof AppError ? error.code : 'internal',
        message: error instanceof Error ? error.message : String(error),
      },
    }),
  );
  socket.end(JSON.stringify(reply));
}

function connect(path: string): Promise<Socket | undefined> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path, allowHalfOpen: true });
    socket.once('connect', () => resolve(socket));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      // Nobody there, or what a killed process left behind.
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(undefined);
      else reject(error);
    });
  });
}

const isPipe = (path: string) => path.startsWith('\\\\.\\pipe\\');
const pointerFile = (dataDir: string) => join(dataDir, 'control.path');

function pathOf(dataDir: string): string {
  if (process.platform === 'win32')
    return `\\\\.\\pipe\\swarmgate-${createHash('sha256').update(dataDir).digest('hex').slice(0, 16)}`;
  const direct = join(dataDir, 'control.sock');
  if (Buffer.byteLength(direct) <= pathBytesMax) return direct;
  return existsSync(pointerFile(dataDir))
    ? readFileSync(pointerFile(dataDir), 'utf8')
    : direct.slice(0, pathBytesMax);
}

function preparePath(dataDir: string): string {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const direct = join(dataDir, 'control.sock');
  if (process.platform !== 'win32' && Buffer.byteLength(direct) > pathBytesMax) {
    const path = join(mkdtempSync(join(tmpdir(), 'swarmgate-')), 'control.sock');
    writeFileSync(pointerFile(dataDir), path, { mode: 0o600 });
    return path;
  }
  const path = pathOf(dataDir);
  // The data directory is locked by now, so a socket that is here belongs to a process that was killed.
  if (!isPipe(path)) rmSync(path, { force: true });
  return path;
}

function forgetPath(dataDir: string, path: string): void {
  if (isPipe(path)) return;
  rmSync(path, { force: true });
  if (dirname(path) !== dataDir) {
    rmSync(dirname(path), { recursive: true, force: true });
    rmSync(pointerFile(dataDir), { force: true });
  }
}
