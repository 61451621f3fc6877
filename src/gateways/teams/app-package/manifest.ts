export type ManifestOptions = {
  /** What people in Teams see; at most {@link teamsAppNameLengthMax} characters. */
  name: string;
  appId: string;
  /** Where the service is: `https://…`, as the developer's site. */
  publicUrl: string;
  /** Whether the bot is to hear what does not mention it, with a consent of the team's owner or the chat's members. */
  hearsAll: boolean;
  version: string;
};

export const teamsAppNameLengthMax = 30;

const fullDescription =
  'Write to it in a chat, or mention it in a team channel or a group chat: it answers there. What is answered, and from which knowledge, is set up by whoever runs it.';

/**
 * What makes a Teams app of a bot of this service. The id of the app is that of the bot, so that a package made again
 * updates the app and makes no second one.
 *
 * @see https://learn.microsoft.com/microsoftteams/platform/resources/schema/manifest-schema
 */
export function teamsManifest({ name, appId, publicUrl, hearsAll, version }: ManifestOptions): object {
  return {
    $schema: 'https://developer.microsoft.com/json-schemas/teams/v1.16/MicrosoftTeams.schema.json',
    ...{ manifestVersion: '1.16', version, id: appId },
    developer: {
      ...{ name, websiteUrl: publicUrl, privacyUrl: publicUrl, termsOfUseUrl: publicUrl },
    },
    icons: { color: 'color.png', outline: 'outline.png' },
    name: { short: name, full: name },
    description: { short: 'Answers your questions in Teams.', full: fullDescription },
    accentColor: '#FFFFFF',
    bots: [
      {
        botId: appId,
        scopes: ['personal', 'team', 'groupChat'],
        ...{ supportsFiles: true, isNotificationOnly: false },
      },
    ],
    composeExtensions: [
      {
        botId: appId,
        commands: [
          {
            ...{ id: 'ask', type: 'action', title: 'Ask a question', fetchTask: true },
            context: ['compose', 'commandBox'],
          },
        ],
      },
    ],
    permissions: ['identity', 'messageTeamMembers'],
    validDomains: [new URL(publicUrl).host],
    ...(hearsAll && {
      webApplicationInfo: { id: appId, resource: `api://${new URL(publicUrl).host}/${appId}` },
      authorization: {
        permissions: {
          resourceSpecific: [
            { name: 'ChannelMessage.Read.Group', type: 'Application' },
            { name: 'ChatMessage.Read.Chat', type: 'Application' },
          ],
        },
      },
    }),
  };
}
