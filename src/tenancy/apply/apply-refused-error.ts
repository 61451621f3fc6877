import { AppError } from '#domain/errors.ts';

/** Something in a plan contradicts what exists. Nothing of its tenant was written. */
export class ApplyRefusedError extends AppError<'apply_refused'> {
  override readonly name = 'ApplyRefusedError';

  constructor(message: string) {
    super('apply_refused', message);
  }
}
