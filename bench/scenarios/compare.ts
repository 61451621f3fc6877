import { startSlackLoad } from '../slack/load.ts';
import { type Measured, measureInTurn } from '../slack/rounds.ts';
import type { Subject } from '../subjects/subject.ts';
import { type Installation, install, startSwarmgate } from '../subjects/swarmgate.ts';
import type { ScenarioTools } from './scenario.ts';

export type Compared = {
  name: string;
  tenants: number;
  /** As many as tenants, unless told. */
  workspaces?: number;
  prepare?: (made: Installation) => Promise<void>;
};

/**
 * The Slack journey on several installations, each with a database, two processes and tenants of its own. They run side
 * by side and take turns. Answers what was measured and how long each took to start.
 */
export async function compareInstallations<Plans extends readonly Compared[]>(
  { servers, scale }: ScenarioTools,
  plans: Plans,
): Promise<{ [Index in keyof Plans]: Measured & { readyInMs: number } }> {
  const load = await startSlackLoad();
  const installations: Installation[] = [];
  const subjects: Subject[] = [];
  try {
    for (const { name, tenants, workspaces = tenants, prepare } of plans) {
      const made = await install(servers, { tenants, workspaces, apiUrl: load.apiUrl });
      installations.push(made);
      await prepare?.(made);
      subjects.push(await startSwarmgate(name, made));
    }
    const measured = await measureInTurn(load, subjects, {
      messages: 3_000 * scale,
      workspacesOf: (subject) => plans[subject]?.workspaces ?? plans[subject]?.tenants ?? 1,
    });
    return measured.map((one, index) => ({ ...one, readyInMs: subjects[index]?.readyInMs ?? 0 })) as {
      [Index in keyof Plans]: Measured & { readyInMs: number };
    };
  } finally {
    for (const subject of subjects) await subject.stop();
    for (const installation of installations) installation.remove();
    await load.close();
  }
}
