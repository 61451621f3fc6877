import type { Proof } from './prove.ts';

/** The page `docs/security/isolation-matrix.md`: what whoever reaches for another tenant's is answered. */
export function describeMatrix(matrix: Proof['matrix']): string {
  const credentials = [...new Set(matrix.flatMap(({ answers }) => Object.keys(answers)))];
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    '# Isolation matrix',
    '',
    'What the REST API answers to whoever reaches for what is another tenant’s. Written by `npm run test:isolation -- -u`,',
    'which fails when an answer is another one, when anything of the other tenant’s stands in an answer, a log line, a metric',
    'or the queue, or when any of its rows has changed afterwards. A new operation gets its rows by itself.',
    '',
    '401: no credentials that are good, or no session where a person is meant. 404: as for an id that does not exist. 403: not permitted in one’s own tenant either.',
    '400 and 409: not understood, or in conflict with what is one’s own, before anything of another’s was looked at. 200: of',
    'one’s own, for ids of another’s name nothing there.',
    '',
    row(['operation', 'what is another’s', ...credentials]),
    row(['---', '---', ...credentials.map(() => '---')]),
    ...matrix.map(({ operation, foreign, answers }) =>
      row([`\`${operation}\``, foreign, ...credentials.map((credential) => answers[credential] ?? '')]),
    ),
    '',
  ].join('\n');
}
