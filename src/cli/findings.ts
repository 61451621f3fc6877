/** What `swarmgate doctor` found about one thing: how it is and, if it is not well, how to mend it. */
export type Finding = {
  check: string;
  state: 'ok' | 'note' | 'warning' | 'failure';
  says: string;
  mend?: string;
};

/** Runs one check; what it throws is a failure like any other. */
export async function examine(check: string, look: () => Promise<Omit<Finding, 'check'>>): Promise<Finding> {
  try {
    return { check, ...(await look()) };
  } catch (error) {
    return { check, state: 'failure', says: error instanceof Error ? error.message : String(error) };
  }
}

const listedMax = 5;

/** The first few, and how many more there are. */
export function listed(names: readonly string[], total = names.length): string {
  const more = total - listedMax;
  return names.slice(0, listedMax).join('; ') + (more > 0 ? `; and ${more} more` : '');
}
