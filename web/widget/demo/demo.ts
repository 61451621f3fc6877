import type {} from '../src/loader.ts';

/** The demo page: its snippets name the gateway that serves it, can be copied, and its first button opens the chat. */

for (const place of document.querySelectorAll('[data-origin]')) place.textContent = location.origin;

for (const button of document.querySelectorAll<HTMLElement>('[data-copy]')) {
  button.addEventListener('click', () => void copy(button));
}

document.querySelector('[data-ask]')?.addEventListener('click', () => void window.Swarmgate?.open());

async function copy(button: HTMLElement): Promise<void> {
  const source = document.getElementById(button.dataset['copy'] ?? '');
  const status = document.getElementById('copied');
  if (!source || !status) return;
  try {
    await navigator.clipboard.writeText(source.textContent ?? '');
    status.textContent = 'Copied to the clipboard.';
    button.textContent = 'Copied';
  } catch {
    // No permission: select it, so that the keyboard can copy it.
    getSelection()?.selectAllChildren(source);
    status.textContent = 'The text is selected. Copy it with the keyboard.';
  }
  setTimeout(() => {
    button.textContent = 'Copy';
    status.textContent = '';
  }, 3_000);
}
