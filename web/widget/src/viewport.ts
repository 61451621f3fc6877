/**
 * Tells the style sheet which part of the screen is free. A phone's keyboard shrinks only the visual viewport: without
 * this the place to write would lie below it.
 */
export function followVisualViewport(host: HTMLElement): void {
  const viewport = window.visualViewport;
  if (!viewport) return;
  const follow = () => {
    host.style.setProperty('--viewport-height', `${viewport.height}px`);
    host.style.setProperty('--viewport-top', `${viewport.offsetTop}px`);
  };
  viewport.addEventListener('resize', follow);
  viewport.addEventListener('scroll', follow);
  follow();
}
