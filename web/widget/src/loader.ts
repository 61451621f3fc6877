import type { Widget } from './widget.tsx';
import type { WidgetEvents } from './widget-events.ts';

/** The name of the application's file with its content hash; the build puts it in. */
declare const appFile: string;

/** `window.Swarmgate`: usable at once, what is called before the widget is there happens when it is. */
export type SwarmgateApi = {
  open: () => Promise<void>;
  close: () => Promise<void>;
  /** Says who the visitor is, by a JWT that the page's server has signed. Rejects if the gateway refuses it. */
  identify: (identity: string) => Promise<void>;
  /** Forgets the visitor in this browser: call it when somebody signs out. */
  reset: () => Promise<void>;
  on: <Name extends keyof WidgetEvents>(
    name: Name,
    listener: (detail: WidgetEvents[Name]) => void,
  ) => Promise<void>;
};

declare global {
  interface Window {
    Swarmgate?: SwarmgateApi;
  }
}

const script = document.currentScript;

// One widget a page: a tag manager that inserts the script twice must not give the visitor two.
if (script instanceof HTMLScriptElement && !window.Swarmgate) {
  const baseUrl = new URL('.', script.src).href;
  // Trusted Types let a dynamic import through, where they would stop a script element with this address.
  const widget: Promise<Widget> = import(`${baseUrl}widget/${appFile}`).then(({ mount }) =>
    mount(baseUrl, { ...script.dataset }),
  );
  window.Swarmgate = {
    open: () => widget.then((it) => it.open()),
    close: () => widget.then((it) => it.close()),
    identify: (identity) => widget.then((it) => it.identify(identity)),
    reset: () => widget.then((it) => it.reset()),
    on: (name, listener) => widget.then((it) => it.on(name, listener)),
  };
}
