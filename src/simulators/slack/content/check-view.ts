import { isJson, type Json } from '../json.ts';
import { refuseArgument, SlackRefusal } from '../refusal.ts';
import { checkViewBlocks } from './check-blocks.ts';
import { checkText } from './check-elements.ts';
import { ContentFault } from './fields.ts';

const viewBytesMax = 250_000;
const metadataLengthMax = 3_000;

/** Checks a modal or a home (https://docs.slack.dev/reference/views). @throws {SlackRefusal} */
export function checkView(view: Json, type: 'modal' | 'home'): void {
  if (Buffer.byteLength(JSON.stringify(view)) > viewBytesMax) throw new SlackRefusal('view_too_large');
  if (view['type'] !== type) throw refuse(`must be ${type} [json-pointer:/view/type]`);
  const blocks = view['blocks'];
  if (!Array.isArray(blocks) || !blocks.every(isJson))
    throw refuse('must be a list [json-pointer:/view/blocks]');
  checkViewBlocks(blocks);
  if (String(view['private_metadata'] ?? '').length > metadataLengthMax)
    throw refuse('too long [json-pointer:/view/private_metadata]');
  if (type === 'home') return;
  try {
    checkText(view['title'], '/view/title', 24, ['plain_text']);
    for (const name of ['submit', 'close'])
      if (view[name] !== undefined) checkText(view[name], `/view/${name}`, 24, ['plain_text']);
  } catch (fault) {
    throw fault instanceof ContentFault ? refuse(fault.message) : fault;
  }
  if (view['submit'] === undefined && blocks.some((block) => block['type'] === 'input'))
    throw refuse('a view with inputs needs submit [json-pointer:/view/submit]');
}

function refuse(fault: string): SlackRefusal {
  return refuseArgument('invalid_arguments', fault);
}
