import { type Fields, fieldsOf, rowsOf, textOf } from '../inbound/payload.ts';
import type { DiscordTexts } from '../texts.ts';

/** What stands under the text when a person is to choose a server. */
const menuId = 'swarmgate:server';

const optionsMax = 25;
const menusMax = 5;
const labelLengthMax = 100;
/** Five menus of 25 are what Discord shows in one message. */
export const serversMax = optionsMax * menusMax;

/** The servers that a person may choose from. */
export type Offer = {
  /** The person is proven to be in each. */
  servers: readonly { id: string; name: string }[];
  /** False: they may be in others, too, at which nobody has looked. */
  isComplete: boolean;
};

export type Menu = { content: string; components: readonly object[] };

/** `isSearch`: the person has given a part of a name. */
export function writeMenu(
  { servers, isComplete }: Offer,
  texts: DiscordTexts['direct'],
  isSearch = false,
): Menu {
  if (servers.length === 0) {
    const none = isSearch ? texts.noneNamed : isComplete ? texts.none : texts.noneSeen;
    return { content: none, components: [] };
  }
  const sorted = servers.toSorted((a, b) => a.name.localeCompare(b.name)).slice(0, serversMax);
  const menus = Array.from({ length: Math.ceil(sorted.length / optionsMax) }, (_, index) => ({
    type: 1,
    components: [
      {
        ...{ type: 3, custom_id: `${menuId}:${index}`, placeholder: texts.placeholder },
        options: sorted
          .slice(index * optionsMax, (index + 1) * optionsMax)
          .map(({ id, name }) => ({ label: [...name].slice(0, labelLengthMax).join(''), value: id })),
      },
    ],
  }));
  return { content: isComplete ? texts.choose : `${texts.choose}\n${texts.more}`, components: menus };
}

/** The server that was chosen in a menu of ours; `undefined`: it is no menu of ours. */
export function readChoice(data: Fields): string | undefined {
  const { custom_id: id, values } = data;
  if (typeof id !== 'string' || !id.startsWith(`${menuId}:`) || !Array.isArray(values)) return undefined;
  const [chosen] = values as unknown[];
  return typeof chosen === 'string' ? chosen : undefined;
}

/** What the menu that was chosen in calls a server, and the menu itself, for another choice. */
export function readMenu(message: unknown, guild: string): { name: string; components: readonly object[] } {
  const rows = rowsOf(fieldsOf(message)['components']);
  const options = rows.flatMap((row) => rowsOf(row['components'])).flatMap((menu) => rowsOf(menu['options']));
  const label = textOf(options.find(({ value }) => value === guild)?.['label']);
  return { name: label ?? guild, components: rows };
}
