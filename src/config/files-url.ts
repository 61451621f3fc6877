import { fileURLToPath } from 'node:url';
import { ConfigError, maskUrl } from './config-error.ts';

export type FilesConfig =
  | { kind: 'disk'; directory: string }
  | {
      kind: 's3';
      /** `https://host[:port]`, without a path. */
      endpoint: string;
      bucket: string;
      /** Before every key, without slashes at its ends; may be empty. */
      prefix: string;
      region: string;
      accessKeyId: string;
      secretAccessKey: string;
    };

const expected =
  's3://ACCESS_KEY:SECRET@HOST/BUCKET[/PREFIX][?region=eu-west-1][&tls=off] with / + @ : % of the keys percent-encoded, or file:///absolute/path';

/**
 * Reads where files are kept: `s3://ACCESS_KEY:SECRET@host[:port]/bucket[/prefix]?region=eu-west-1&tls=off`, or
 * `file:///absolute/path`. The region is us-east-1 if none is named, as most S3-compatible stores expect.
 * @throws {ConfigError} which shows nothing of an s3 URL: a secret with a slash in it ends up anywhere.
 */
export function readFilesUrl(text: string): FilesConfig {
  if (/^file:/i.test(text)) return readDirectory(text);
  if (!/^s3:/i.test(text)) throw refuse(`"${maskUrl(text)}"`);
  if (!URL.canParse(text)) throw refuseS3('that is no URL');
  return readS3(new URL(text));
}

// `file:data` is an absolute path to the URL parser, which nobody who writes it means.
function readDirectory(text: string): FilesConfig {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^file:(?:\/\/(?:localhost)?)?\/(?!\/)/i.test(text) || url.search !== '' || url.hash !== '')
    throw refuse(`"${maskUrl(text)}"`);
  try {
    return { kind: 'disk', directory: fileURLToPath(url) };
  } catch {
    throw refuse(`"${maskUrl(text)}"`);
  }
}

function readS3(url: URL): FilesConfig {
  const accessKeyId = decode(url.username);
  const secretAccessKey = decode(url.password);
  if (!accessKeyId || !secretAccessKey) throw refuseS3('without an access key and a secret before the @');
  const { tls, region } = readParameters(url);
  const endpoint = `${tls ? 'https' : 'http'}://${url.host}`;
  if (url.host === '' || !URL.canParse(endpoint)) throw refuseS3('without a host');

  const [bucket = '', ...prefix] = url.pathname.replace(/^\//, '').replace(/\/$/, '').split('/');
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{1,62}$/.test(bucket)) throw refuseS3('without a bucket behind the host');
  if (!prefix.every((part) => /^[A-Za-z0-9._-]+$/.test(part)))
    throw refuseS3('whose prefix has other characters than A-Z a-z 0-9 . _ -');
  if (url.hash !== '') throw refuseS3('with a # in it');
  return { kind: 's3', endpoint, bucket, prefix: prefix.join('/'), region, accessKeyId, secretAccessKey };
}

function readParameters({ searchParams }: URL): { tls: boolean; region: string } {
  const names = [...searchParams.keys()];
  if (names.some((name) => name !== 'region' && name !== 'tls') || new Set(names).size < names.length)
    throw refuseS3('with other parameters than one region and one tls');
  const region = searchParams.get('region') ?? 'us-east-1';
  const tls = searchParams.get('tls') ?? 'on';
  if (!/^[a-z0-9-]{1,64}$/.test(region)) throw refuseS3('whose region is no name of a region');
  if (tls !== 'on' && tls !== 'off') throw refuseS3('whose tls is neither on nor off');
  return { tls: tls === 'on', region };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function refuseS3(what: string): ConfigError {
  return refuse(`an s3 URL ${what} (not shown)`);
}

function refuse(holds: string): ConfigError {
  return new ConfigError('FILES_URL', holds, expected);
}
