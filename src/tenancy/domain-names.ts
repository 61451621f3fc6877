import { domainToASCII } from 'node:url';

/** A host as it is compared: lower case, in ASCII (IDNA), without a dot at its end. `undefined`: it is no domain name. */
export function readDomainName(text: string): string | undefined {
  // What an address may have behind a host would be taken away without a word.
  if (/[/?#\\]/.test(text)) return undefined;
  const name = domainToASCII(text.trim().replace(/\.$/, '').toLowerCase());
  return name.length <= domainLengthMax && domainForm.test(name) ? name : undefined;
}

/** With the label of its record before it, a name server can still be asked for it. */
const domainLengthMax = 240;
/** Two labels at least, of which the last is no number: so no address is one. */
const domainForm =
  /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?=.*[a-z])[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])$/;

/** Whether a host is a domain or lies below it. */
export function isWithin(host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`);
}
