import type { RefObject } from 'preact';
import { useLayoutEffect } from 'preact/hooks';

/** Matches the style sheet: below this width the panel covers the screen. */
export const phone = matchMedia('(max-width: 480px)');

/**
 * Shows the panel: beside the page, or, on a phone, as a modal dialog over all of it, so that the page behind cannot
 * be reached by finger, Tab or screen reader.
 */
export function useDialog(
  panel: RefObject<HTMLDialogElement | null>,
  isOpen: boolean,
  onClose: () => void,
): void {
  useLayoutEffect(() => {
    const dialog = panel.current;
    if (!dialog || !isOpen) return;
    const show = () => {
      dialog.close();
      if (phone.matches) dialog.showModal();
      // Unlike show(), the attribute leaves the focus where it is.
      else dialog.open = true;
    };
    // The browser closes a modal dialog by itself: on Escape, on Android's back gesture.
    const onClosed = () => {
      if (!dialog.open) onClose();
    };
    show();
    phone.addEventListener('change', show);
    dialog.addEventListener('close', onClosed);
    return () => {
      phone.removeEventListener('change', show);
      dialog.removeEventListener('close', onClosed);
      dialog.close();
    };
  }, [panel, isOpen, onClose]);
}
