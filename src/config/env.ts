/** The environment as text: every variable that the service knows, and no other. */
export type Env = Readonly<Partial<Record<EnvName, string>>>;

const names = [
  'PORT',
  'HOST',
  'PUBLIC_URL',
  'TRUSTED_PROXIES',
  'PRIVATE_HOSTS',
  'DATA_DIR',
  'AUDIT_DIR',
  'DATABASE_URL',
  'DATABASE_ADMIN_URL',
  'REDIS_URL',
  'ROLES',
  'MASTER_KEYS',
  'FILES_URL',
  'SLACK_APP_ID',
  'SLACK_SIGNING_SECRET',
  'SLACK_CLIENT_ID',
  'SLACK_CLIENT_SECRET',
  'SLACK_API_URL',
  'DISCORD_APPLICATION_ID',
  'DISCORD_PUBLIC_KEY',
  'DISCORD_BOT_TOKEN',
  'DISCORD_CLIENT_SECRET',
  'DISCORD_API_URL',
  'TWILIO_ACCOUNT_SID',
  'TWILIO_AUTH_TOKEN',
  'TWILIO_API_URL',
  'TEAMS_APP_ID',
  'TEAMS_APP_PASSWORD',
  'TEAMS_APP_TENANT',
  'TEAMS_OPENID_METADATA_URL',
  'TEAMS_LOGIN_URL',
  'OPENAI_API_KEY',
  'OPENAI_BASE_URL',
  'ANTHROPIC_API_KEY',
  'ANTHROPIC_BASE_URL',
  'GOOGLE_GENERATIVE_AI_API_KEY',
  'GOOGLE_BASE_URL',
  'COMPATIBLE_API_KEY',
  'COMPATIBLE_BASE_URL',
  'LOG_LEVEL',
  'METRICS_TOKEN',
  'TENANT_BASE_DOMAIN',
  'TENANT_GRACE_DAYS',
  'AUDIT_RETENTION_DAYS',
] as const;

export type EnvName = (typeof names)[number];

/** Reads each known variable once. An empty value counts as absent, as compose files and CI systems write it. */
export function readEnv(): Env {
  const found: Partial<Record<EnvName, string>> = {};
  for (const name of names) {
    const value = process.env[name]?.trim();
    if (value) found[name] = value;
  }
  return found;
}

/** The value of any variable, for `${NAME}` in an apply file. */
export function readVariable(name: string): string | undefined {
  return process.env[name];
}
