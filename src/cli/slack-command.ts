import type { Command } from 'commander';
import { stringify } from 'yaml';
import { readConfig } from '#config/config.ts';
import { readEnv } from '#config/env.ts';
import { AppError } from '#domain/errors.ts';
import { slackAppNameLengthMax, slackManifest } from '#gateways/slack/install/manifest.ts';
import { operate } from './operate.ts';

type ManifestFlags = { name: string; url?: string; key?: string; socket?: boolean; json?: boolean };

export function addSlackCommand(program: Command): void {
  const slack = program.command('slack').description('set up Slack apps for this service');
  slack
    .command('manifest')
    .description('print what makes a Slack app of this service: at api.slack.com/apps, "From a manifest"')
    .option('--name <name>', 'what people in Slack see', 'Swarmgate')
    .option('--url <url>', 'where Slack reaches this service (PUBLIC_URL when absent)')
    .option(
      '--key <key>',
      "the key of the channel that the app belongs to; without it, the manifest is the shared app's",
    )
    .option('--socket', 'let Slack talk over a socket (Socket Mode), which needs no public address')
    .option('--json', 'print JSON instead of YAML')
    .action((flags: ManifestFlags) => {
      const manifest = slackManifest({
        name: readName(flags.name),
        publicUrl: readAddress(flags),
        socketMode: flags.socket ?? false,
        channelKey: readKey(flags.key),
      });
      console.log(flags.json ? JSON.stringify(manifest, undefined, 2) : stringify(manifest).trimEnd());
    });
  slack
    .command('install-link')
    .description('print the link by which a workspace connects itself to a channel')
    .argument('<tenant>', 'the slug of a tenant')
    .argument('<channel>', 'the slug of its Slack channel')
    .option('--json', 'print JSON')
    .action(async (tenant: string, channel: string, { json }: { json?: boolean }) => {
      const link = await operate(readConfig(readEnv()), {
        command: 'install-link',
        platform: 'slack',
        tenant,
        channel,
      });
      console.log(
        json
          ? JSON.stringify(link, undefined, 2)
          : `${link.url}\n\nWhoever opens it and may install apps in a Slack workspace connects that workspace to ${tenant}/${channel}.\nIt works until ${link.expiresAt}.`,
      );
    });
}

function readName(name: string): string {
  const length = [...name].length;
  if (length > 0 && length <= slackAppNameLengthMax) return name;
  throw new AppError(
    'bad_option',
    `--name has ${length} characters; a Slack app's name has 1 to ${slackAppNameLengthMax}.`,
  );
}

function readKey(key: string | undefined): string | undefined {
  if (key === undefined || /^ck_[A-Za-z0-9_-]{3,80}$/.test(key)) return key;
  throw new AppError(
    'bad_option',
    `--key is "${key}"; a channel's key is ck_ and 3 to 80 letters, digits, - or _.`,
  );
}

/** Slack takes addresses with TLS only. With Socket Mode none is needed: an address then serves installations by a link. */
function readAddress({ url, socket }: ManifestFlags): string | undefined {
  const address = (url ?? readConfig(readEnv()).publicUrl)?.replace(/\/+$/, '');
  const isGood = address !== undefined && /^https:\/\/[^?#]+$/.test(address) && URL.canParse(address);
  if (isGood) return address;
  if (url === undefined && socket) return undefined;
  throw new AppError(
    'bad_option',
    address === undefined
      ? 'Slack has to reach this service: give its address by --url https://… or PUBLIC_URL, or use --socket.'
      : `The address is "${address}", and Slack calls addresses with https:// only: give another by --url or PUBLIC_URL, or use --socket without one.`,
  );
}
