import { invalidForm } from '../refusal.ts';
import type { SimulatedMessage } from '../world.ts';
import { type Call, listOf, textOf } from './call.ts';

/** What a message may hold. @see https://discord.com/developers/docs/resources/message#create-message */
const contentLengthMax = 2_000;
const nonceLengthMax = 25;
const customIdLengthMax = 100;
const embedsMax = 10;
const embedsLengthMax = 6_000;
const fileBytesMax = 10 * 1024 * 1024;

export type MessageContent = Pick<
  SimulatedMessage,
  'content' | 'components' | 'embeds' | 'attachments' | 'calls' | 'nonce'
>;

/** Reads what a message is to say, and refuses what Discord refuses. */
export function readContent({ stage, body, files }: Call, isNew: boolean): MessageContent {
  const content = textOf(body['content']);
  const components = listOf(body['components']);
  const embeds = listOf(body['embeds']);
  if (content.length > contentLengthMax) throw invalidForm('content: Must be 2000 or fewer in length.');
  if (isNew && content.trim() === '' && components.length + embeds.length + files.length === 0)
    throw invalidForm('Cannot send an empty message');
  checkComponents(components);
  if (embeds.length > embedsMax || JSON.stringify(embeds).length > embedsLengthMax)
    throw invalidForm('embeds: too many or too long');
  for (const { bytes } of files) if (bytes.length > fileBytesMax) throw invalidForm('files: too large');
  const nonce = body['nonce'];
  if (nonce !== undefined && String(nonce).length > nonceLengthMax) throw invalidForm('nonce: too long');
  return {
    content,
    components,
    embeds,
    nonce: nonce === undefined ? undefined : String(nonce),
    calls: callsOf(content, body['allowed_mentions']),
    attachments: files.map(({ name, contentType, bytes }) => {
      const id = stage.world.snowflake();
      stage.files.set(id, { bytes, contentType });
      return {
        ...{ id, filename: name, content_type: contentType, size: bytes.length },
        url: `${stage.url()}/attachments/${id}/${encodeURIComponent(name)}`,
      };
    }),
  };
}

function checkComponents(rows: readonly object[]): void {
  if (rows.length > 5) throw invalidForm('components: Must be 5 or fewer in length.');
  const seen = new Set<string>();
  for (const row of rows as { type?: number; components?: unknown }[]) {
    const inner = listOf(row.components);
    if (row.type !== 1 || inner.length === 0 || inner.length > 5) throw invalidForm('components: not a row');
    for (const component of inner) {
      const id = textOf(component['custom_id']);
      if (component['style'] === 5) continue;
      if (id === '' || id.length > customIdLengthMax || seen.has(id))
        throw invalidForm('components: custom_id');
      seen.add(id);
      if (component['type'] === 2 && textOf(component['label']).length > 80)
        throw invalidForm('components: label');
      const options = listOf(component['options']);
      if (component['type'] === 3 && (options.length === 0 || options.length > 25))
        throw invalidForm('components: options');
    }
  }
}

/** Whom a text calls, unless `allowed_mentions` says that it may not. */
function callsOf(content: string, allowed: unknown): string[] {
  const parse = (allowed as { parse?: unknown } | undefined)?.parse;
  if (Array.isArray(parse) && parse.length === 0) return [];
  return content.match(/@everyone|@here|<@[!&]?\d+>/g) ?? [];
}
