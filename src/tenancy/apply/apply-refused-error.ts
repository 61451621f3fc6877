import type { AccountKey } from '@swarmgate/contract/channels/described-channel.ts';
import { AppError } from '#domain/errors.ts';

/** What it contradicts, for programs. */
export type ApplyRefusal =
  | 'not_here'
  | 'closing'
  | 'slug_taken'
  | 'platform_fixed'
  | 'unknown_agent'
  | 'shared_app'
  | 'account_not_proved'
  | 'account_claimed'
  | 'key_claimed';

/** Something that is wanted contradicts what exists. Nothing of its tenant was written. */
export class ApplyRefusedError extends AppError<'apply_refused'> {
  override readonly name = 'ApplyRefusedError';
  readonly refusal: ApplyRefusal;
  /** What was to be claimed, where somebody else may have it. */
  readonly wanted: { platform: string; claims: readonly AccountKey[] } | undefined;

  constructor(
    refusal: ApplyRefusal,
    message: string,
    wanted?: { platform: string; claims: readonly AccountKey[] },
  ) {
    super('apply_refused', message);
    this.refusal = refusal;
    this.wanted = wanted;
  }
}
