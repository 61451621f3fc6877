import type { VNode } from 'preact';

/** Line icons on a 24 × 24 grid, drawn in the colour of the text around them; a word always stands beside them. */
const paths = {
  chat: 'M5 5h14a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2h-7l-5 4v-4H5a2 2 0 0 1-2-2V7a2 2 0 0 1 2-2zM8 11h.01M12 11h.01M16 11h.01',
  down: 'm6 9 6 6 6-6',
  close: 'M6 6l12 12M18 6 6 18',
  pen: 'M12 20h8M4 20l1-4.5L16 4.5a2.1 2.1 0 0 1 3 3L8 18.500z',
  send: 'M5 12h14M13 6l6 6-6 6',
  stop: 'M7 7h10v10H7z',
  mark: 'M12 3l7.500 4.330v9.340L12 21l-7.500-4.330V7.330zM9 18.800V12a3 3 0 0 1 6 0v6.800',
} as const;

export function Icon({ name }: { name: keyof typeof paths }): VNode {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}
