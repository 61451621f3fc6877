import type { VNode } from 'preact';

/** Line icons on a 24 × 24 grid, drawn in the colour of the text around them; a word always stands beside them. */
const paths = {
  chat: 'M21 15a2 2 0 0 1-2 2h-7l-5 4v-4H5a2 2 0 0 1-2-2V7a2 2 0 0 1 2-2h14a2 2 0 0 1 2 2zM8 11h8',
  down: 'm6 9 6 6 6-6',
  close: 'M6 6l12 12M18 6 6 18',
  plus: 'M12 5v14M5 12h14',
  send: 'M5 12h14M13 6l6 6-6 6',
  stop: 'M7 7h10v10H7z',
  mark: 'M12 3l7.5 4.3v9.4L12 21l-7.5-4.3V7.3zM9 18.8V12a3 3 0 0 1 6 0v6.8',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }): VNode {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}
