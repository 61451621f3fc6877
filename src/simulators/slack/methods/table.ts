import { appMethods } from './apps.ts';
import { assistantMethods } from './assistant.ts';
import { authMethods } from './auth.ts';
import { chatMethods } from './chat.ts';
import { conversationMethods } from './conversations.ts';
import { fileMethods } from './files.ts';
import type { Method } from './method.ts';
import { oauthMethods } from './oauth.ts';
import { reactionMethods } from './reactions.ts';
import { streamMethods } from './streams.ts';
import { viewMethods } from './views.ts';

/** Every method that the simulator knows. */
export const methods: Readonly<Record<string, Method>> = {
  ...authMethods,
  ...chatMethods,
  ...streamMethods,
  ...conversationMethods,
  ...reactionMethods,
  ...viewMethods,
  ...assistantMethods,
  ...fileMethods,
  ...appMethods,
  ...oauthMethods,
};
