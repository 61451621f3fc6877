import type { WidgetOptions } from './options.ts';

/** Marks the host element as dark or light; `auto` follows the system. */
export function applyTheme(host: HTMLElement, theme: WidgetOptions['theme']): void {
  const systemIsDark = matchMedia('(prefers-color-scheme: dark)');
  const apply = () => {
    host.dataset['theme'] = theme === 'auto' ? (systemIsDark.matches ? 'dark' : 'light') : theme;
  };
  systemIsDark.addEventListener('change', apply);
  apply();
}
