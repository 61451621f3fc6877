import { appendFileSync, existsSync, readFileSync } from 'node:fs';

/** What processes note for their test. It outlives them: a note stands in the file before anything else happens. */
export type Diary = ReturnType<typeof openDiary>;

export function openDiary(path: string) {
  const read = (): string[] => (existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []);
  return {
    path,
    read,
    note: (line: string) => appendFileSync(path, `${line}\n`),
    count: (line: string) => read().filter((noted) => noted === line).length,
  };
}
