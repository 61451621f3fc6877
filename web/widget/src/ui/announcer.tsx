import type { VNode } from 'preact';

export type Announcement = { id: number; text: string };

/** The one live region: a finished answer is read out once, when it is complete. */
export function Announcer({ announcement }: { announcement: Announcement }): VNode {
  return (
    <div role="status" class="visually-hidden">
      {/* A new key makes a new element: the same words twice are announced twice. */}
      <p key={announcement.id}>{announcement.text}</p>
    </div>
  );
}
