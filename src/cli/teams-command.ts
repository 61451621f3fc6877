import { writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { Command } from 'commander';
import { readEnv } from '#config/env.ts';
import { AppError } from '#domain/errors.ts';
import { teamsAppPackage } from '#gateways/teams/app-package/app-package.ts';
import { teamsAppNameLengthMax, teamsManifest } from '#gateways/teams/app-package/manifest.ts';
import { isPublicAddress } from '#kernel/public-address.ts';

type ManifestFlags = {
  name: string;
  appId?: string;
  url?: string;
  key?: string;
  appVersion: string;
  hearsAll?: boolean;
  out: string;
  force?: boolean;
  json?: boolean;
};

export function addTeamsCommand(program: Command): void {
  const teams = program.command('teams').description('set up Microsoft Teams apps for this service');
  teams
    .command('manifest')
    .description('write the package of a Teams app of this service: upload it in Teams or its admin center')
    .option('--name <name>', 'what people in Teams see', 'Swarmgate')
    .option('--app-id <guid>', 'the id of the bot (TEAMS_APP_ID when absent)')
    .option('--url <url>', 'where Microsoft reaches this service (PUBLIC_URL when absent)')
    .option('--key <key>', 'the key of the channel that the bot belongs to, for the address that is printed')
    .option('--hears-all', 'let the bot hear what does not mention it, where its hosts consent')
    .option('--app-version <version>', 'higher each time that the app is updated', '1.0.0')
    .option('--out <file>', 'where the package goes', 'teams-app.zip')
    .option('--force', 'write over a file that is there already')
    .option('--json', 'print the manifest as JSON, and write nothing')
    .action(async (flags: ManifestFlags) => {
      const publicUrl = readAddress(flags.url);
      const options = {
        ...{ name: readName(flags.name), appId: readAppId(flags.appId), publicUrl },
        ...{ hearsAll: flags.hearsAll ?? false, version: readVersion(flags.appVersion) },
      };
      if (flags.json) {
        console.log(JSON.stringify(teamsManifest(options), undefined, 2));
        return;
      }
      const key = readKey(flags.key);
      await writePackage(flags, teamsAppPackage(options));
      const endpoint = `${publicUrl}/webhooks/teams/${key === undefined ? '' : `${key}/`}messages`;
      console.log(
        `Wrote ${flags.out}.\n\nMessaging endpoint of the bot (Azure portal or Teams developer portal): ${endpoint}\nUpload the package in Teams: Apps → Manage your apps → Upload an app.`,
      );
    });
}

function readName(name: string): string {
  const length = [...name].length;
  if (length > 0 && length <= teamsAppNameLengthMax) return name;
  throw new AppError(
    'bad_option',
    `--name has ${length} characters; a Teams app's name has 1 to ${teamsAppNameLengthMax}.`,
  );
}

function readAppId(given: string | undefined): string {
  // Of the environment's bot the id alone: its password may be elsewhere, where the service runs.
  const appId = (given ?? readEnv().TEAMS_APP_ID)?.toLowerCase();
  if (appId !== undefined && /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(appId)) return appId;
  throw new AppError(
    'bad_option',
    given === undefined
      ? 'The package needs the id of the bot: give it by --app-id or TEAMS_APP_ID.'
      : `--app-id is "${given}"; the id of a bot is a GUID.`,
  );
}

async function writePackage({ out, force = false }: ManifestFlags, content: Uint8Array): Promise<void> {
  try {
    await writeFile(out, content, { flag: force ? 'w' : 'wx' });
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new AppError('cannot_write', `${out} cannot be written: ${whyNotWritten[code] ?? message}.`);
  }
}

const whyNotWritten: Readonly<Record<string, string>> = {
  EEXIST: 'it is there already. Give another name by --out, or --force to write over it',
  ENOENT: 'its folder is not there. Make that, or give another place by --out',
  ENOTDIR: 'what should be its folder is a file. Give another place by --out',
  EISDIR: 'it is a folder. Give the name of a file by --out',
  EACCES: 'you have no right to write there. Give another place by --out',
  EPERM: 'you have no right to write there. Give another place by --out',
  EROFS: 'nothing can be written there. Give another place by --out',
};

function readKey(key: string | undefined): string | undefined {
  if (key === undefined || /^ck_[A-Za-z0-9_-]{3,80}$/.test(key)) return key;
  throw new AppError(
    'bad_option',
    `--key is "${key}"; a channel's key is ck_ and 3 to 80 letters, digits, - or _.`,
  );
}

function readVersion(version: string): string {
  if (/^\d{1,5}\.\d{1,5}\.\d{1,5}$/.test(version)) return version;
  throw new AppError(
    'bad_option',
    `--app-version is "${version}"; a version is three numbers such as 1.0.1.`,
  );
}

/** Teams takes addresses with TLS only, and calls from outside. */
function readAddress(url: string | undefined): string {
  const address = (url ?? readEnv().PUBLIC_URL)?.replace(/\/+$/, '');
  if (address === undefined)
    throw new AppError(
      'bad_option',
      'Microsoft has to reach this service: give its address by --url https://… or PUBLIC_URL.',
    );
  if (!/^https:\/\/[^?#]+$/.test(address) || !URL.canParse(address))
    throw new AppError(
      'bad_option',
      `The address is "${address}", and Teams takes addresses with https:// only: give another by --url or PUBLIC_URL.`,
    );
  if (!mayBeReached(new URL(address).hostname))
    throw new AppError(
      'bad_option',
      `The address is "${address}", which Microsoft cannot reach from outside: give the service's public one by --url or PUBLIC_URL.`,
    );
  return address;
}

function mayBeReached(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  if (isIP(host) !== 0) return isPublicAddress(host);
  return host.includes('.') && !/\.(?:localhost|local|internal|lan|home\.arpa)$/.test(host);
}
