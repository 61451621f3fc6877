import { AppError } from '#domain/errors.ts';
import type { SimulatedChannel } from '#tenancy/simulated-channel.ts';

/** Somebody on a platform that is simulated on this machine. */
export type Simulation = {
  channel: SimulatedChannel['channel'];
  apiUrl: string;
  /** Who is who, in a line. */
  introduction: string;
  /** Why somebody on this platform may get no answer although all is well. */
  silence?: string;
  /** Where the service and its simulated channel are found, once there is one. */
  connect(channel: { key: string; url: string }): void;
  /** Says something; resolves once the service has it. @throws {SimulationRefusedError} */
  say(text: string): Promise<void>;
  /** Calls back with each thing that the service says, whole. */
  onAnswer(show: (text: string) => void): void;
  close(): Promise<void>;
};

/** The service did not take what was said. */
export class SimulationRefusedError extends AppError<'simulation_refused'> {
  override readonly name = 'SimulationRefusedError';

  constructor(status: number) {
    super(
      'simulation_refused',
      status === 0
        ? 'The service does not answer. Start it ("npm start"), or say where it runs with --url.'
        : `The service answered ${status} to what was said.`,
    );
  }
}
