/** Matches the style sheet: below this width the panel covers the screen. */
export const phone = matchMedia('(max-width: 480px)');

type ElementId = 'launcher' | 'panel' | 'log' | 'composer' | 'confirm';

/** What elements do that drawing alone does not: the dialog's mode, the place in the list, the height of the field. */
export class PanelDom {
  readonly #root: ShadowRoot;
  #mode: 'closed' | 'beside' | 'modal' = 'closed';
  #firstMessageId: string | undefined;

  constructor(root: ShadowRoot) {
    this.#root = root;
  }

  /** Draws, and brings the elements in line with what was drawn. */
  update(
    draw: () => void,
    state: { isOpen: boolean; isAtEnd: boolean; firstMessageId: string | undefined },
  ): void {
    const heightBefore = this.#element('log')?.scrollHeight ?? 0;
    draw();
    this.#showDialog(state.isOpen);
    this.#fitComposer();
    const log = this.#element('log');
    if (log && state.isAtEnd) log.scrollTop = log.scrollHeight;
    // Earlier messages came in above: what was in sight stays in sight.
    else if (log && state.firstMessageId !== this.#firstMessageId)
      log.scrollTop += log.scrollHeight - heightBefore;
    this.#firstMessageId = state.firstMessageId;
  }

  /** After the next drawing: what is to have the focus may not be there yet. */
  focus(id: ElementId): void {
    requestAnimationFrame(() => this.#element(id)?.focus());
  }

  get hasFocusInPanel(): boolean {
    return this.#root.activeElement?.closest('dialog') != null;
  }

  /**
   * Beside the page, or, on a phone, as a modal dialog over all of it, so that the page behind cannot be reached by
   * finger, Tab or screen reader.
   */
  #showDialog(isOpen: boolean): void {
    const dialog = this.#element('panel');
    const mode = !isOpen ? 'closed' : phone.matches ? 'modal' : 'beside';
    if (!(dialog instanceof HTMLDialogElement) || mode === this.#mode) return;
    this.#mode = mode;
    dialog.close();
    if (mode === 'modal') dialog.showModal();
    // Unlike show(), the attribute leaves the focus where it is.
    else dialog.open = isOpen;
  }

  /** Grows with its text, up to the height that the style sheet allows. */
  #fitComposer(): void {
    const field = this.#element('composer');
    if (!field) return;
    field.style.height = 'auto';
    field.style.height = `${field.scrollHeight}px`;
  }

  #element(id: ElementId): HTMLElement | null {
    return this.#root.getElementById(id);
  }
}
