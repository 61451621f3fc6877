/** A cloud of Microsoft's: who signs there, and who gives tokens for it. */
export type TeamsCloud = {
  /** What the tokens of its Bot Framework say they are from. */
  issuer: string;
  loginUrl: string;
  /** What our tokens are for. */
  scope: string;
  /** Where a multi-tenant bot gets its tokens. */
  multiTenantAuthority: string;
};

export const publicMetadataUrl = 'https://login.botframework.com/v1/.well-known/openidconfiguration';

const publicCloud: TeamsCloud = {
  issuer: 'https://api.botframework.com',
  loginUrl: 'https://login.microsoftonline.com',
  scope: 'https://api.botframework.com/.default',
  multiTenantAuthority: 'botframework.com',
};

/** @see https://learn.microsoft.com/azure/bot-service/how-to-deploy-gov-cloud-high */
const governmentCloud: TeamsCloud = {
  issuer: 'https://api.botframework.us',
  loginUrl: 'https://login.microsoftonline.us',
  scope: 'https://api.botframework.us/.default',
  multiTenantAuthority: 'MicrosoftServices.onmicrosoft.us',
};

/**
 * The cloud whose OpenID metadata is at an address; a stand-in plays the public one. The issuer is ours to know: that of
 * a metadata document is only compared with it.
 */
export function cloudOf(metadataUrl: string): TeamsCloud {
  return new URL(metadataUrl).hostname === 'login.botframework.azure.us' ? governmentCloud : publicCloud;
}
