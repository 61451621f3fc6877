/**
 * Everything the widget says by itself. A further language is a file of the same shape, which `mount` imports only where
 * a page asks for it, so that it costs the others nothing.
 */
export const en = {
  language: 'en',
  openChat: 'Open chat',
  openChatUnread: (count: number) => `Open chat, ${count} unread ${count === 1 ? 'message' : 'messages'}`,
  closeChat: 'Close chat',
  chat: 'Chat',
  conversation: 'Conversation',
  authors: { visitor: 'You', agent: 'Agent', operator: 'Team', system: 'Notice' },
  answering: 'Writing an answer',
  stop: 'Stop',
  stopAnswer: 'Stop this answer',
  writeMessage: 'Write a message',
  sendMessage: 'Send message',
  sendHint: 'Enter sends, Shift and Enter begins a new line.',
  suggestions: 'Suggested questions',
  showOlder: 'Show earlier messages',
  toLatest: 'Go to the latest message',
  sources: 'Sources',
  openSource: 'Open the source',
  code: 'Code',
  table: 'Table',
  waiting: 'Waiting to be sent',
  notSent: (reason: string) => `Not sent: ${reason}`,
  retry: 'Try again',
  remove: 'Remove',
  offline: 'You are offline. What you write is sent when you are back.',
  reconnecting: 'Reconnecting…',
  connecting: 'Connecting…',
  refused: (reason: string) => `This chat is not available here: ${reason}`,
  newConversation: 'Start a new conversation',
  newConversationQuestion: 'Leave this conversation and start a new one?',
  newConversationConfirm: 'Start new',
  newConversationCancel: 'Stay',
  newConversationFailed: 'That did not work. Try again later.',
};

export type Texts = typeof en;
