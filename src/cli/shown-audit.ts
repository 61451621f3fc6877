import type { ShownAuditEvent } from '#audit/audit-trail.ts';
import type { AuditProblem, AuditState, AuditVerdict, TrailVerdict } from '#audit/verdict.ts';

/** An event on a line. */
export function describeEvent({ id, at, actor, action, resource, outcome, reason }: ShownAuditEvent): string {
  const who = actor.id ?? actor.kind;
  const what = resource.id === undefined ? resource.kind : `${resource.kind} ${resource.id}`;
  return visible(`${at}  ${outcome.padEnd(7)}  ${who}  ${action}  ${what}  ${id}${reason && `  ${reason}`}`);
}

const words: Record<AuditState, string> = {
  whole: 'WHOLE     ',
  tampered: 'TAMPERED  ',
  incomplete: 'INCOMPLETE',
};

export function describeVerdict({ state, trails, problem, notes }: AuditVerdict): string {
  const lines = [
    ...trails.flatMap(describeTrail),
    ...(problem ? [`${words.tampered}  ${describeProblem(problem)}`] : []),
    ...notes,
    trails.length === 0 ? 'Nothing was recorded yet.' : `${trails.length} trails: ${state}.`,
  ];
  return lines.map(visible).join('\n');
}

function describeTrail(trail: TrailVerdict): string[] {
  const { state, tenant, events, seals, checkpoints, dropped, unsealed, problem, missing } = trail;
  const gone = dropped > 0 ? `, ${dropped} were old enough to go` : '';
  const counts = `${events} events in ${seals} seals${gone}, ${checkpoints} checkpoints, ${unsealed} not sealed yet`;
  const because = problem ? [describeProblem(problem)] : (missing ?? []);
  return [
    `${words[state]}  ${tenant ?? trail.trail}  ${counts}`,
    ...because.map((line) => `            ${line}`),
  ];
}

function describeProblem({ kind, seal, event, line, says }: AuditProblem): string {
  const place = [event, seal !== undefined && `seal ${seal}`, line].filter(Boolean).join(', ');
  return `${kind} (${place}): ${says}`;
}

// Strangers choose parts of this, and a terminal obeys some signs.
function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, '\ufffd');
}
