import { randomBytes } from 'node:crypto';

/** A person's yes to an installation, which the app exchanges for a token. */
export type Approval = {
  appId: string;
  place: { teamId: string } | { enterpriseId: string };
  user: string;
  scopes: readonly string[];
  /** As it was asked for; `undefined`: it was not named. */
  redirectUri: string | undefined;
};

export type Approvals = ReturnType<typeof createApprovals>;

const codeLifetimeMs = 10 * 60_000;

export function createApprovals(now: () => number) {
  const open = new Map<string, { approval: Approval; atMs: number }>();
  return {
    /** The code that stands for it. */
    approve(approval: Approval): string {
      const code = `${randomBytes(6).toString('hex')}.${randomBytes(16).toString('hex')}`;
      open.set(code, { approval, atMs: now() });
      return code;
    },

    /** Once, by the app that it was for, within ten minutes. */
    take(code: string, appId: string): Approval | undefined {
      const found = open.get(code);
      if (!found || found.approval.appId !== appId) return undefined;
      open.delete(code);
      return now() - found.atMs > codeLifetimeMs ? undefined : found.approval;
    },
  };
}
