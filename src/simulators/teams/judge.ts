/** What a client did that no client may do. */
export type Violation = { what: string; details: Readonly<Record<string, unknown>> };

/** A call of the connector, as it was answered. */
export type Call = {
  method: string;
  path: string;
  appId: string | undefined;
  tenant: string;
  conversationId: string | undefined;
  activity: Readonly<Record<string, unknown>>;
  status: number;
};

export type Judge = ReturnType<typeof createJudge>;

/** Keeps everything, to judge a client by. */
export function createJudge() {
  const violations: Violation[] = [];
  const calls: Call[] = [];
  return {
    violations,
    calls,
    accuse(what: string, details: Readonly<Record<string, unknown>> = {}): void {
      violations.push({ what, details });
    },
    forget(): void {
      violations.length = 0;
      calls.length = 0;
    },
  };
}
