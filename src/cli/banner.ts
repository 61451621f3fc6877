import type { Config } from '#config/config.ts';
import { maskUrl } from '#config/config-error.ts';
import type { Storage } from '../storage.ts';
import { version } from './version.ts';

export type Started = {
  port: number | undefined;
  isNew: boolean;
  readyInMs: number;
  /** What signs in whoever sits here. */
  adminLink: string | undefined;
};

/** What a person sees once the service is ready: where to go, what it runs on, what to do next. Only what exists is named. */
export async function describeStart(
  config: Config,
  { scopes }: Storage,
  { port, isNew, readyInMs, adminLink }: Started,
): Promise<string> {
  const base = config.publicUrl ?? `http://localhost:${port}`;
  const [demo] = await scopes.call<{ locate_v1: object | null }>('directory.locate_v1', [
    'webchat',
    'channel_key',
    '',
    'wk_demo',
  ]);
  const moved =
    port !== undefined && !config.port.chosen && port !== config.port.number
      ? `  (port ${config.port.number} is in use)`
      : '';
  const models = Object.entries(config.models).flatMap(([name, { apiKey, baseUrl }]) =>
    apiKey || (name === 'compatible' && baseUrl) ? [name] : [],
  );
  const storage =
    config.database.kind === 'embedded'
      ? `embedded, in ${config.dataDir}${isNew ? ' (new)' : ''}`
      : maskUrl(config.database.url);

  const lines = [
    ['Swarmgate', `${version}, ready in ${(readyInMs / 1_000).toFixed(1)} s`],
    ...(demo?.locate_v1 && port !== undefined
      ? [['Chat now', `${base}/${moved}`]]
      : port !== undefined
        ? [['Listens at', `${base}${moved}`]]
        : []),
    ...(adminLink === undefined
      ? []
      : [['Admin link', `${adminLink}  (good once, within an hour, on this machine)`]]),
    ...(config.roles.has('api') && port !== undefined
      ? [
          [
            'API',
            `${base}/docs  (a key: npx swarmgate api-keys create ${demo?.locate_v1 ? 'demo' : 'TENANT'})`,
          ],
        ]
      : []),
    ['Storage', storage],
    ['Queue', config.queue.kind === 'redis' ? maskUrl(config.queue.url) : 'in the database'],
    [
      'Models',
      models.length > 0
        ? `builtin, ${models.join(', ')}`
        : 'builtin (set OPENAI_API_KEY, ANTHROPIC_API_KEY or another one for more)',
    ],
    ['Next', 'write an apply file and run: npx swarmgate apply FILE.yaml   (docs/apply.md)'],
    ['Trouble?', 'npx swarmgate doctor'],
    ['Stop', 'Ctrl-C'],
  ];
  return ['', ...lines.map(([name = '', text = '']) => `  ${name.padEnd(12)}${text}`), ''].join('\n');
}
