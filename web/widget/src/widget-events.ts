import type { ChatMessage } from '@swarmgate/contract/web-chat.ts';

/** What a page can listen to: events of the element `swarmgate-chat`, with this as their `detail`. */
export type WidgetEvents = {
  open: undefined;
  close: undefined;
  /** The number of unread messages changed. */
  unread: number;
  /** A message came in from the other side. */
  message: ChatMessage;
};
