/**
 * Groups calls that come while one is under way: the first goes at once and alone, those behind it go together when it
 * has returned. Nobody waits for a timer.
 *
 * `run` answers one result per input, in order; an `Error` among them fails that call only, a rejection fails all.
 */
export function createBatcher<Input, Output>(
  run: (inputs: readonly Input[]) => Promise<(Output | Error)[]>,
  sizeMax: number,
): (input: Input) => Promise<Output> {
  type Waiting = { input: Input; resolve: (output: Output) => void; reject: (error: unknown) => void };
  const waiting: Waiting[] = [];
  let running = false;

  async function drain(): Promise<void> {
    running = true;
    while (waiting.length > 0) {
      const batch = waiting.splice(0, sizeMax);
      try {
        const outputs = await run(batch.map(({ input }) => input));
        batch.forEach(({ resolve, reject }, index) => {
          const output = outputs[index];
          if (output instanceof Error) reject(output);
          else resolve(output as Output);
        });
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    running = false;
  }

  return (input) =>
    new Promise((resolve, reject) => {
      waiting.push({ input, resolve, reject });
      if (!running) void drain();
    });
}
