/** How a page has set the widget up: the `data-` attributes of its script element. */
export type WidgetOptions = {
  /** Absent: the page is on a host of the tenant's own, which knows its channel. */
  key: string | undefined;
  identity: string | undefined;
  /** `light`, `dark`; all else follows the system. */
  theme: string | undefined;
  /** `start`: the left corner, or the right one in a script from right to left. */
  position: string | undefined;
  /** `first-visit`: opens by itself where the visitor is new. */
  opens: string | undefined;
  locale: string;
  direction: 'ltr' | 'rtl';
  /** Words beside the launcher's icon. */
  label: string;
};

/** Reads the attributes. What is not understood falls back to the default; only a missing key is an error (an empty one is not). */
export function readOptions(attributes: Readonly<Record<string, string | undefined>>): WidgetOptions {
  const page = document.documentElement;
  const { key, identity, theme, position, open, locale, dir, label = '' } = attributes;
  if (key === undefined) throw new Error('Swarmgate: data-key is missing.');

  return {
    key: key || undefined,
    identity,
    theme,
    position,
    opens: open,
    locale: knownLocale(locale) ?? knownLocale(page.lang) ?? navigator.language,
    direction: (dir ?? getComputedStyle(page).direction) === 'rtl' ? 'rtl' : 'ltr',
    label,
  };
}

function knownLocale(tag: string | undefined): string | undefined {
  try {
    return Intl.getCanonicalLocales(tag)[0];
  } catch {
    return undefined;
  }
}
