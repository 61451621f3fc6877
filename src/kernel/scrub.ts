/**
 * Takes secrets out of text by their form. The last stage of every log line: field lists miss what stands inside a
 * message, an error's stack or a nested value.
 */
export function scrub(text: string): string {
  return secretForms.reduce((rest, form) => rest.replace(form, '[secret]'), text);
}

// Where a word begins. Lines are JSON, so a line break before a secret is the letter n of `\n` there.
const start = String.raw`(?:(?<![A-Za-z0-9])|(?<=\\[bfnrt])|(?<=\\u[0-9a-f]{4}))`;

const secretForms: readonly RegExp[] = [
  new RegExp(`${start}xox[abeoprs]-[A-Za-z0-9-]{8,}`, 'g'), // Slack
  new RegExp(`${start}xapp-[A-Za-z0-9-]{8,}`, 'g'),
  new RegExp(`${start}sk-[A-Za-z0-9_-]{16,}`, 'g'), // OpenAI, Anthropic
  new RegExp(`${start}AIza[A-Za-z0-9_-]{20,}`, 'g'), // Google
  new RegExp(`${start}sg[bcikloprst]_[A-Za-z0-9_-]{8,}`, 'g'), // ours: keys, sessions, links, invitations, ceremonies, transfers, …
  new RegExp(`${start}whsec_[A-Za-z0-9+/=]{8,}`, 'g'), // what webhooks are signed by
  new RegExp(`${start}SK[0-9a-f]{32}(?![0-9a-f])`, 'g'), // Twilio
  new RegExp(String.raw`${start}eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]*`, 'g'), // JWT
  new RegExp(String.raw`${start}(?:Bearer|Basic|Bot)(?:\s|%20|\\[nrt])+[A-Za-z0-9._~+/=-]{8,}`, 'gi'),
  /(?<=\/files\/)[A-Za-z0-9_-]{60,}/g, // a link of ours that opens a file
  /(?<=:\/\/[^:/@\s"]{0,100}:)[^@/\s"]+(?=@)/g, // the password of a URL
];
