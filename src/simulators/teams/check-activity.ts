import { Refusal } from './refusal.ts';

type Fields = Readonly<Record<string, unknown>>;

/** For everything that a message is, in UTF-16. */
const payloadBytesMax = 100 * 1_024;

/** Checks what a bot sends as Teams does, and more strictly. @throws {Refusal} */
export function checkActivity(activity: Fields, body: string): void {
  if (body.length * 2 > payloadBytesMax) throw new Refusal(413, 'MessageSizeTooBig');
  const { type, text, textFormat, attachments, entities, serviceUrl } = activity as Record<string, unknown>;
  if (type !== 'message' && type !== 'typing') throw bad('type');
  if (text !== undefined && typeof text !== 'string') throw bad('text');
  if (textFormat !== undefined && !['markdown', 'plain', 'xml'].includes(String(textFormat)))
    throw bad('textFormat');
  if (serviceUrl !== undefined) throw bad('serviceUrl: it is no business of the bot');
  const cards = listOf(attachments, 'attachments');
  if (type === 'message' && (text ?? '') === '' && cards.length === 0)
    throw bad('a message that shows nothing');
  for (const card of cards) checkAttachment(card);
  for (const entity of listOf(entities, 'entities')) checkEntity(entity, String(text ?? ''));
}

function checkEntity(entity: Fields, text: string): void {
  const { type, mentioned, text: written } = entity as Record<string, unknown>;
  if (typeof type !== 'string') throw bad('entity without a type');
  if (type !== 'mention') return;
  if (typeof (mentioned as Fields | undefined)?.['id'] !== 'string') throw bad('mention of nobody');
  if (typeof written !== 'string' || !text.includes(written))
    throw bad('mention that the text does not have');
}

function checkAttachment({ contentType, contentUrl, content, name }: Record<string, unknown>): void {
  switch (contentType) {
    case 'application/vnd.microsoft.card.adaptive':
      checkCard(fieldsOf(content));
      return;
    case 'application/vnd.microsoft.teams.card.file.consent': {
      const { sizeInBytes, acceptContext } = fieldsOf(content) as Record<string, unknown>;
      if (typeof name !== 'string' || name === '') throw bad('a file without a name');
      if (typeof sizeInBytes !== 'number' || !acceptContext) throw bad('a file without its size or context');
      return;
    }
    case 'application/vnd.microsoft.teams.card.file.info': {
      const { uniqueId, fileType } = fieldsOf(content) as Record<string, unknown>;
      if (typeof name !== 'string' || typeof contentUrl !== 'string') throw bad('a file that is nowhere');
      if (typeof uniqueId !== 'string' || typeof fileType !== 'string') throw bad('a file without its id');
      return;
    }
    default:
      throw bad(`attachment of ${String(contentType)}`);
  }
}

const elements: ReadonlySet<unknown> = new Set([
  'TextBlock',
  'ActionSet',
  'Input.Text',
  'Container',
  'Image',
  'FactSet',
]);
const actions: ReadonlySet<unknown> = new Set([
  'Action.Execute',
  'Action.Submit',
  'Action.OpenUrl',
  'Action.ShowCard',
]);

/** @see https://adaptivecards.io/explorer/ */
function checkCard(card: Fields): void {
  const { type, version, body, actions: own } = card as Record<string, unknown>;
  if (type !== 'AdaptiveCard' || typeof version !== 'string' || !/^1\.[0-5]$/.test(version))
    throw bad('card');
  for (const element of listOf(body, 'body')) {
    if (!elements.has(element['type'])) throw bad(`element ${String(element['type'])}`);
    if (element['type'] === 'ActionSet') checkActions(element['actions']);
  }
  checkActions(own);
}

function checkActions(value: unknown): void {
  for (const action of listOf(value, 'actions')) {
    const { type, title, verb, fallback } = action as Record<string, unknown>;
    if (!actions.has(type)) throw bad(`action ${String(type)}`);
    if (typeof title !== 'string' || title === '') throw bad('action without a title');
    if (type === 'Action.Execute' && typeof verb !== 'string') throw bad('Action.Execute without a verb');
    if (fallback !== undefined) checkActions([fallback]);
  }
}

function listOf(value: unknown, what: string): Record<string, unknown>[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw bad(what);
  return value.map(fieldsOf);
}

function fieldsOf(value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw bad('an object that is none');
}

function bad(what: string): Refusal {
  return new Refusal(400, 'BadSyntax', { 'x-what': what.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 100) });
}
