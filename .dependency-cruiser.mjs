// Who may import whom: ARCHITECTURE.md's table of directions, as rules. test/architecture/boundaries.test.ts plants
// violations and expects each of them to be found: a cruise that sees nothing reports "no violations".

/** The files of a folder that other folders may import. A new one is a decision: it widens what others can lean on. */
const frontDoors = {
  agents: ['agent.ts'],
  audit: ['audit-trail.ts'],
  connections: ['database.ts', 'redis.ts', 'prisma/unit-client.ts'],
  events: ['live.ts'],
  gateways: ['gateway.ts', 'gateway-error.ts', 'journey.ts'],
  files: ['file-store.ts'],
  identity: [
    'principal.ts',
    'decide.ts',
    'roles.ts',
    'api-keys.ts',
    'authenticate-key.ts',
    'grants.ts',
    'grant-now.ts',
    'issuers/token-issuers.ts',
    'sign-on/sign-on.ts',
    'tenant-roles.ts',
    'identity.ts',
    'forget-ended.ts',
  ],
  models: ['model.ts'],
  queue: ['job.ts'],
  tenancy: [
    'scopes.ts',
    'scope-errors.ts',
    'directory.ts',
    'tenant-life.ts',
    'channel-life.ts',
    'agent-life.ts',
    'claim-transfer.ts',
    'domains.ts',
  ],
  webhooks: [
    'endpoints.ts',
    'endpoint-url.ts',
    'deliveries.ts',
    'audited-events.ts',
    'tell-webhooks.ts',
    'keep-webhooks.ts',
  ],
};

/** Parts that know each other by their front doors, `connections` excepted. */
const parts = 'tenancy queue models memory agents events files metering audit identity webhooks'.split(' ');
const partsAndBelow = ['domain', 'kernel', 'locales', ...parts.map((part) => `${part}!`)];

/** What each folder of src/ may import besides itself. `x!` means x by its front door only. */
const mayImport = {
  domain: [],
  locales: ['domain'],
  kernel: ['domain'],
  config: ['domain'],
  connections: ['domain', 'kernel'],
  ...Object.fromEntries(parts.map((part) => [part, [...partsAndBelow]])),
  conversations: [...partsAndBelow, 'gateways!'],
  workflows: [...partsAndBelow, 'gateways!'],
  admin: [...partsAndBelow, 'contract', 'conversations'],
  http: ['domain', 'kernel', 'contract'],
  simulators: ['domain', 'kernel'],
};
// These are handed the database or Redis and name its type; nobody else has a connection to speak of.
for (const holder of ['tenancy', 'queue', 'events', 'metering']) mayImport[holder].push('connections!');
// Written to the types that gateways ask for: the channel directory, the rate limit.
for (const answerer of ['tenancy', 'metering']) mayImport[answerer].push('gateways!');
// The apply file is part of the wire, and so is what may be permitted.
for (const speaker of ['tenancy', 'identity', 'webhooks']) mayImport[speaker].push('contract');

/** Packages that one place owns, so that the rest of the code does not depend on them. */
const ownedPackages = [
  {
    name: 'database-drivers',
    packages: 'pg|pg-.+|ioredis|@electric-sql/.+|@prisma/.+',
    owner: 'src/connections/',
  },
  { name: 'queue-library', packages: 'bullmq', owner: 'src/queue/' },
  { name: 'model-sdks', packages: 'ai|@ai-sdk/.+', owner: 'src/models/' },
  {
    name: 'express',
    packages: 'express',
    owner: 'src/(http/|admin/|gateways/webchat/|gateways/webhook-router\\.ts)',
  },
  { name: 'slack-sdk', packages: '@slack/.+', owner: 'src/gateways/slack/' },
  { name: 'markdown-parser', packages: 'mdast-.+|micromark.*', owner: 'src/gateways/markdown/' },
  { name: 'discord-sdk', packages: 'discord\\.js|@discordjs/.+|discord-.+', owner: 'src/gateways/discord/' },
  { name: 'teams-sdk', packages: 'botbuilder.*|botframework-.+|@microsoft/.+', owner: 'src/gateways/teams/' },
  { name: 'twilio-sdk', packages: 'twilio', owner: 'src/gateways/twilio/' },
  { name: 'password-hash', packages: '@node-rs/argon2', owner: 'src/identity/' },
  { name: 'one-time-codes', packages: 'otpauth', owner: 'src/identity/' },
  { name: 'passkey-library', packages: '@simplewebauthn/.+', owner: 'src/identity/passkeys/' },
  { name: 'single-sign-on', packages: 'oauth4webapi', owner: 'src/identity/sign-on/' },
  { name: 's3-signer', packages: 'aws4fetch', owner: 'src/files/' },
  { name: 'browser-code', packages: 'preact', owner: 'web/' },
  { name: 'common-passwords', packages: '@zxcvbn-ts/.+', owner: 'src/identity/' },
];

const unitTests = '\\.test\\.tsx?$';
const composition = '^src/(app|storage|platforms)\\.ts$|^src/cli/';

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...Object.keys(mayImport).map(directionOf),
    ...ownedPackages.map(ownerOf),
    forbid('every-folder-in-the-table', 'A file of src/ stands in a folder of the table above.', {
      from: { path: '^src/', pathNot: [`^src/(${Object.keys(mayImport).join('|')}|gateways)/`, composition] },
      to: {},
    }),
    forbid('gateways-front', 'The shared files of gateways/ know the platforms by their index.ts only.', {
      from: { path: '^src/gateways/[^/]+$', pathNot: unitTests },
      to: {
        path: '^(src|contract|web)/',
        pathNot: [
          ...[...partsAndBelow, 'contract'].map(pathOf),
          '^src/gateways/[^/]+$',
          '^src/gateways/[^/]+/index\\.ts$',
        ],
      },
    }),
    platformDirection('gateways-platform', '(?!webchat/)[^/]+', ['files!']),
    // The one platform whose visitors read from here, as the reply comes.
    platformDirection('gateways-webchat', 'webchat', ['files!', 'events!']),
    forbid('contract-alone', 'The wire is the same for both of its sides, so it depends on neither.', {
      from: { path: '^contract/' },
      to: { path: '^(src|web|test|tools|bin)/' },
    }),
    forbid('web-contract-only', 'A page shares nothing with the service but the wire.', {
      from: { path: '^web/([^/]+)/', pathNot: unitTests },
      to: { path: '^(src|web|test|tools|bin)/', pathNot: '^web/$1/' },
    }),
    forbid('no-test-code', 'What runs in production does not need the tests.', {
      from: { path: '^(src|contract|web|bin)/', pathNot: unitTests },
      to: { path: ['^test/', unitTests] },
    }),
    forbid('no-development-package', 'A production install has no development dependencies.', {
      from: { path: '^(src|contract|web|bin)/', pathNot: unitTests },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    }),
    forbid('no-undeclared-package', 'What is imported stands in package.json.', {
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    }),
    forbid('no-unresolvable', 'Every import leads somewhere.', { from: {}, to: { couldNotResolve: true } }),
    forbid('no-cycles', 'A circle has no first file to read.', {
      from: { pathNot: '^src/connections/prisma/generated/' }, // the generator makes some
      to: { circular: true },
    }),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^web/[^/]+/dist/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true, // `import type` is an import: a name that is known
    combinedDependencies: true, // a workspace package may use what the root installs
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types', 'default'],
    },
  },
};

function directionOf(folder) {
  const allowed = mayImport[folder];
  return forbid(`${folder}-direction`, `${folder} may import ${allowed.join(', ') || 'nothing of ours'}.`, {
    from: { path: `^src/${folder}/`, pathNot: unitTests },
    to: { path: '^(src|contract|web)/', pathNot: [`^src/${folder}/`, ...allowed.map(pathOf)] },
  });
}

function platformDirection(name, folder, alsoAllowed) {
  return forbid(name, 'A platform knows nothing of the others, nor of what becomes of its messages.', {
    from: { path: `^src/gateways/(${folder})/`, pathNot: unitTests },
    to: {
      path: '^(src|contract|web)/',
      pathNot: [
        ...['domain', 'kernel', 'contract', ...alsoAllowed].map(pathOf),
        '^src/gateways/[^/]+$',
        '^src/gateways/markdown/', // what answers are written in, for every platform to show
        '^src/gateways/$1/',
      ],
    },
  });
}

function ownerOf({ name, packages, owner }) {
  return forbid(`${name}-owned`, `Only ${owner} knows this package.`, {
    from: { path: '^(src|contract|web)/', pathNot: [`^${owner}`, unitTests] },
    to: { path: `node_modules/(@types/)?(${packages})/` },
  });
}

/** The paths that an entry of the table stands for. */
function pathOf(entry) {
  if (entry === 'contract') return '^contract/';
  if (!entry.endsWith('!')) return `^src/${entry}/`;
  const folder = entry.slice(0, -1);
  const files = (frontDoors[folder] ?? []).map((file) => file.replaceAll('.', '\\.'));
  return files.length === 0 ? '^$' : `^src/${folder}/(${files.join('|')})$`;
}

function forbid(name, comment, rule) {
  return { name, comment, severity: 'error', ...rule };
}
