import type { Json } from '../json.ts';
import {
  ContentFault,
  refuseUnknownFields,
  requireList,
  requireObject,
  requireOneOf,
  requireText,
} from './fields.ts';

const elementTypes = [
  'button',
  'checkboxes',
  'datepicker',
  'datetimepicker',
  'email_text_input',
  'file_input',
  'number_input',
  'overflow',
  'plain_text_input',
  'radio_buttons',
  'rich_text_input',
  'timepicker',
  'url_text_input',
  'workflow_button',
  ...['users', 'static', 'conversations', 'channels', 'external'].flatMap((kind) => [
    `${kind}_select`,
    `multi_${kind}_select`,
  ]),
];

/** A button, a menu or a field. @throws {ContentFault} */
export function checkElement(element: Json, at: string): void {
  requireOneOf(element['type'], elementTypes, `${at}/type`);
  if (element['action_id'] !== undefined) requireText(element['action_id'], `${at}/action_id`, 255);
  if (element['placeholder'] !== undefined)
    checkText(element['placeholder'], `${at}/placeholder`, 150, ['plain_text']);
  if (element['type'] === 'static_select' && element['options'] !== undefined)
    checkEach(element, 'options', at, 100, (option, place) => {
      checkText(option['text'], `${place}/text`, 75, ['plain_text']);
      requireText(option['value'], `${place}/value`, 150);
    });
  if (element['type'] !== 'button') return;
  checkText(element['text'], `${at}/text`, 75, ['plain_text']);
  if (element['value'] !== undefined) requireText(element['value'], `${at}/value`, 2_000);
  if (element['url'] !== undefined) requireUrl(element['url'], `${at}/url`);
  if (element['style'] !== undefined) requireOneOf(element['style'], ['primary', 'danger'], `${at}/style`);
}

/** A text object: `plain_text` or `mrkdwn`. */
export function checkText(
  value: unknown,
  at: string,
  lengthMax: number,
  types: readonly string[] = ['plain_text', 'mrkdwn'],
): void {
  const object = requireObject(value, at);
  requireOneOf(object['type'], types, `${at}/type`);
  requireText(object['text'], `${at}/text`, lengthMax);
  const own = object['type'] === 'mrkdwn' ? ['verbatim'] : ['emoji'];
  refuseUnknownFields(object, ['type', 'text', ...own], at);
}

export function checkImage(image: Json, at: string): void {
  requireText(image['alt_text'], `${at}/alt_text`, 2_000);
  if (image['slack_file'] === undefined) requireUrl(image['image_url'], `${at}/image_url`);
}

function requireUrl(value: unknown, at: string): void {
  if (!URL.canParse(requireText(value, at, 3_000))) throw new ContentFault('must be a valid URL', at);
}

export function checkEach(
  parent: Json,
  name: string,
  at: string,
  max: number,
  check: (item: Json, at: string) => void,
): void {
  requireList(parent[name], `${at}/${name}`, { min: 1, max }).forEach((item, index) => {
    const place = `${at}/${name}/${index}`;
    check(requireObject(item, place), place);
  });
}
