import type {
  AssistantThreadsSetStatusResponse,
  AssistantThreadsSetSuggestedPromptsResponse,
  ChatAppendStreamResponse,
  ChatDeleteResponse,
  ChatPostMessageResponse,
  ChatStartStreamResponse,
  ChatStopStreamResponse,
  ChatUpdateResponse,
  ConversationsHistoryResponse,
  ConversationsOpenResponse,
  ConversationsRepliesResponse,
  FilesCompleteUploadExternalResponse,
  FilesGetUploadURLExternalResponse,
  FilesInfoResponse,
  ViewsOpenResponse,
  ViewsPublishResponse,
} from '@slack/web-api';

/** The methods of the Web API that are called here, with what each answers. Every field may be absent. */
export type SlackAnswers = {
  'assistant.threads.setStatus': AssistantThreadsSetStatusResponse;
  'assistant.threads.setSuggestedPrompts': AssistantThreadsSetSuggestedPromptsResponse;
  'chat.appendStream': ChatAppendStreamResponse;
  'chat.delete': ChatDeleteResponse;
  'chat.postMessage': ChatPostMessageResponse;
  'chat.startStream': ChatStartStreamResponse;
  'chat.stopStream': ChatStopStreamResponse;
  'chat.update': ChatUpdateResponse;
  'conversations.history': ConversationsHistoryResponse;
  'conversations.open': ConversationsOpenResponse;
  'conversations.replies': ConversationsRepliesResponse;
  'files.completeUploadExternal': FilesCompleteUploadExternalResponse;
  'files.getUploadURLExternal': FilesGetUploadURLExternalResponse;
  'files.info': FilesInfoResponse;
  'views.open': ViewsOpenResponse;
  'views.publish': ViewsPublishResponse;
};
