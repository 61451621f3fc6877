/** A channel of an apply file, taken apart into what is stored where. */
export type DescribedChannel = {
  /** Stored in the open. */
  settings: Record<string, unknown>;
  /** Stored sealed; `undefined` ones are not there. */
  secrets: Readonly<Record<string, string | undefined>>;
  /** What of the outside world it claims for its tenant, each for one tenant only. `app` is '' for a shared app. */
  claims: readonly AccountKey[];
};

/** An account of a platform: a workspace, a number, …, as `app` sees it. */
export type AccountKey = { kind: string; app: string; key: string };

/** Secrets whose names begin so come from an installation, not from the file: an apply leaves them as they are. */
export const installedSecretPrefix = 'installed';
