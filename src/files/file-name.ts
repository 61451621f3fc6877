const lengthMax = 150;

// Control characters, and those that turn or hide text (Unicode TR36 §2.10): `gpj.exe` must not show as `exe.jpg`.
const hiding = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/gu;

/**
 * A name that people and platforms gave, fit to be shown, stored and sent on: its last part if it is a path, without
 * characters that hide something, at most 150 characters with its ending kept. `file` when nothing is left.
 */
export function cleanFileName(name: string): string {
  const last = name.toWellFormed().replaceAll('\\', '/').split('/').at(-1) ?? '';
  const shown = last.replace(hiding, '').replace(/\s+/g, ' ').trim();
  const letters = [...shown];
  if (letters.length > lengthMax) {
    const ending = /\.[A-Za-z0-9]{1,10}$/.exec(shown)?.[0] ?? '';
    return `${letters.slice(0, lengthMax - ending.length).join('')}${ending}`;
  }
  return /^\.*$/.test(shown) ? 'file' : shown;
}
