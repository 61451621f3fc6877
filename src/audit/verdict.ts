/** What verifying says. */

export type AuditState = 'whole' | 'tampered' | 'incomplete';

/**
 * `content`: an event is not what was sealed. `gap`: an event or a seal is missing in the middle. `head`: the end is missing,
 * or a seal was changed. `checkpoint`: the trail is not the one that was written down, or what was written down was changed.
 */
export type AuditProblemKind = 'content' | 'gap' | 'head' | 'checkpoint';

export type AuditProblem = {
  kind: AuditProblemKind;
  /** Which seal, which event (`aud_…`), which line of which file: the first that is wrong. */
  seal?: number;
  event?: string;
  line?: string;
  says: string;
};

export type TrailVerdict = {
  /** `tnt_…`, or `installation`. */
  trail: string;
  /** The slug of the tenant, while there is one. */
  tenant?: string;
  state: AuditState;
  /** What was looked at before the first problem. */
  events: number;
  seals: number;
  checkpoints: number;
  /** Events that were old enough to go, and have gone; their seals are among those that were looked at. */
  dropped: number;
  /** Events that are not sealed yet. */
  unsealed: number;
  unsealedSeconds: number;
  problem?: AuditProblem;
  /** What is not there yet, or not any more, of what proves the rest. */
  missing?: string[];
};

export type AuditVerdict = {
  state: AuditState;
  trails: TrailVerdict[];
  /** What is wrong with the files of checkpoints and belongs to no trail. */
  problem?: AuditProblem;
  notes: string[];
};

export function worstOf(states: readonly AuditState[]): AuditState {
  if (states.includes('tampered')) return 'tampered';
  return states.includes('incomplete') ? 'incomplete' : 'whole';
}
