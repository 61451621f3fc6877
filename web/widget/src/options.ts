/** How a page has set the widget up: the `data-` attributes of its script element. */
export type WidgetOptions = {
  key: string;
  identity: string | undefined;
  theme: 'auto' | 'light' | 'dark';
  position: 'end' | 'start';
  opens: 'on-click' | 'first-visit';
  locale: string;
  direction: 'ltr' | 'rtl';
  /** Words beside the launcher's icon. */
  label: string;
};

/** Reads the attributes. What is not understood falls back to the default; only a missing key is an error. */
export function readOptions(attributes: Readonly<Record<string, string | undefined>>): WidgetOptions {
  const page = document.documentElement;
  const { key, identity, theme, position, open, locale, dir, label = '' } = attributes;
  if (!key)
    throw new Error('Swarmgate: the script element needs data-key="wk_…", the key of a web chat channel.');

  const pageDirection = getComputedStyle(page).direction;
  return {
    key,
    identity,
    theme: theme === 'light' || theme === 'dark' ? theme : 'auto',
    position: position === 'start' ? 'start' : 'end',
    opens: open === 'first-visit' ? 'first-visit' : 'on-click',
    locale: knownLocale(locale) ?? knownLocale(page.lang) ?? navigator.language,
    direction: (dir ?? pageDirection) === 'rtl' ? 'rtl' : 'ltr',
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
