import type { DestinationStream } from 'pino';

/** Log lines for a person at a terminal: time, level, message, and the fields that matter behind it. */
export function prettyDestination(output: { write(text: string): unknown }): DestinationStream {
  return {
    write(line) {
      const { level, time, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown> & {
        err?: { message?: string };
      };
      const rest = Object.entries(fields).map(
        ([name, value]) => `${name}=${typeof value === 'object' ? JSON.stringify(value) : String(value)}`,
      );
      const reason = err?.message === undefined ? [] : [`(${err.message})`];
      const said = [String(time).slice(11, 19), String(level).padEnd(5), msg, ...reason, ...rest].join(' ');
      output.write(`${visible(said)}\n`);
    },
  };
}

// What came from outside must not move the cursor, colour the screen or end the line.
function visible(text: string): string {
  return text.replace(
    /\p{Cc}/gu,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
