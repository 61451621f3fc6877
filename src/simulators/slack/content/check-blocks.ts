import type { Json } from '../json.ts';
import { refuseArgument } from '../refusal.ts';
import { checkEach, checkElement, checkImage, checkText } from './check-elements.ts';
import { checkRichText } from './check-rich-text.ts';
import {
  ContentFault,
  refuseUnknownFields,
  requireList,
  requireObject,
  requireOneOf,
  requireText,
} from './fields.ts';

/**
 * Checks blocks of Block Kit by the limits of https://docs.slack.dev/reference/block-kit/blocks, as far as this project
 * uses them: kinds that it does not use are known by name only.
 */

const messageBlocksMax = 50;
const viewBlocksMax = 100;
/** Observed for a message's blocks together, in JSON (https://github.com/slackapi/bolt-js/issues/2509). */
const messageBlocksLengthMax = 13_200;
const markdownLengthMax = 12_000;

/** @throws {SlackRefusal} */
export function checkMessageBlocks(blocks: Json[], tooMany = 'invalid_blocks'): void {
  if (blocks.length > messageBlocksMax)
    throw refuseArgument(tooMany, `no more than ${messageBlocksMax} items allowed [json-pointer:/blocks]`);
  checkBlocks(blocks, 'blocks');
  if (JSON.stringify(blocks).length > messageBlocksLengthMax)
    throw refuseArgument('msg_blocks_too_long', 'blocks are too long [json-pointer:/blocks]');
  if (blocks.filter(({ type }) => type === 'table').length > 1)
    throw refuseArgument('invalid_blocks', 'only_one_table_allowed [json-pointer:/blocks]');
  const markdown = blocks.filter(({ type }) => type === 'markdown').map(({ text }) => String(text));
  if (markdown.join('').length > markdownLengthMax)
    throw refuseArgument('msg_blocks_too_long', 'markdown blocks are too long [json-pointer:/blocks]');
  if (blocks.some(({ type }) => type === 'input'))
    throw refuseArgument('invalid_blocks', 'input blocks stand in views only [json-pointer:/blocks]');
}

/** @throws {SlackRefusal} */
export function checkViewBlocks(blocks: Json[]): void {
  if (blocks.length > viewBlocksMax)
    throw refuseArgument(
      'invalid_arguments',
      `no more than ${viewBlocksMax} items allowed [json-pointer:/view/blocks]`,
    );
  checkBlocks(blocks, 'view/blocks', 'invalid_arguments');
}

function checkBlocks(blocks: Json[], place: string, error = 'invalid_blocks'): void {
  try {
    const ids = new Set<string>();
    blocks.forEach((block, index) => {
      const at = `/${place}/${index}`;
      if (block['block_id'] !== undefined) {
        const id = requireText(block['block_id'], `${at}/block_id`, 255);
        if (ids.has(id)) throw new ContentFault('block_id is there twice', `${at}/block_id`);
        ids.add(id);
      }
      checkBlock(block, at);
    });
  } catch (fault) {
    if (fault instanceof ContentFault) throw refuseArgument(error, fault.message);
    throw fault;
  }
}

/** What must be right about each kind of block. */
const kinds: Readonly<Record<string, (block: Json, at: string) => void>> = {
  rich_text: checkRichText,
  section: checkSection,
  table: checkTable,
  image: checkImage,
  divider: (block, at) => refuseUnknownFields(block, ['type', 'block_id'], at),
  header: (block, at) => checkText(block['text'], `${at}/text`, 150, ['plain_text']),
  actions: (block, at) => checkEach(block, 'elements', at, 25, checkElement),
  markdown(block, at) {
    requireText(block['text'], `${at}/text`, markdownLengthMax);
    refuseUnknownFields(block, ['type', 'block_id', 'text'], at);
  },
  context(block, at) {
    checkEach(block, 'elements', at, 10, (element, place) => {
      if (element['type'] === 'image') checkImage(element, place);
      else checkText(element, place, 3_000);
    });
  },
  context_actions(block, at) {
    checkEach(block, 'elements', at, 5, (element, place) =>
      requireOneOf(element['type'], ['feedback_buttons', 'icon_button'], `${place}/type`),
    );
  },
  input(block, at) {
    checkText(block['label'], `${at}/label`, 2_000, ['plain_text']);
    checkElement(requireObject(block['element'], `${at}/element`), `${at}/element`);
  },
};
const knownByName = [
  'alert',
  'card',
  'carousel',
  'container',
  'data_table',
  'file',
  'plan',
  'task_card',
  'video',
];

function checkBlock(block: Json, at: string): void {
  const type = String(block['type']);
  const check = kinds[type];
  if (check) check(block, at);
  else if (!knownByName.includes(type)) throw new ContentFault(`unsupported type: ${type}`, `${at}/type`);
}

function checkSection(block: Json, at: string): void {
  refuseUnknownFields(block, ['type', 'block_id', 'text', 'fields', 'accessory', 'expand'], at);
  if (block['text'] === undefined && block['fields'] === undefined)
    throw new ContentFault('missing required field: text', at);
  if (block['text'] !== undefined) checkText(block['text'], `${at}/text`, 3_000);
  if (block['fields'] !== undefined)
    checkEach(block, 'fields', at, 10, (field, place) => checkText(field, place, 2_000));
  if (block['accessory'] === undefined) return;
  const accessory = requireObject(block['accessory'], `${at}/accessory`);
  if (accessory['type'] === 'image') checkImage(accessory, `${at}/accessory`);
  else checkElement(accessory, `${at}/accessory`);
}

function checkTable(block: Json, at: string): void {
  requireList(block['rows'], `${at}/rows`, { min: 1, max: 100 }).forEach((row, rowIndex) => {
    requireList(row, `${at}/rows/${rowIndex}`, { min: 1, max: 20 }).forEach((cell, cellIndex) => {
      const place = `${at}/rows/${rowIndex}/${cellIndex}`;
      const object = requireObject(cell, place);
      requireOneOf(object['type'], ['rich_text', 'raw_text', 'raw_number'], `${place}/type`);
      if (object['type'] === 'rich_text') checkRichText(object, place);
      if (object['type'] === 'raw_text') requireText(object['text'], `${place}/text`);
    });
  });
}
