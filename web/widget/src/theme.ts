import type { WidgetOptions } from './options.ts';

/** Marks the host element as dark or light; anything but `light` and `dark` follows the system. */
export function applyTheme(host: HTMLElement, theme: WidgetOptions['theme']): void {
  const systemIsDark = matchMedia('(prefers-color-scheme: dark)');
  const apply = () => {
    const isDark = theme === 'dark' || (theme !== 'light' && systemIsDark.matches);
    host.dataset['theme'] = isDark ? 'dark' : 'light';
  };
  systemIsDark.addEventListener('change', apply);
  apply();
}
