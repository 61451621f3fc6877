import base from './styles/base.css';
import composer from './styles/composer.css';
import launcher from './styles/launcher.css';
import markdown from './styles/markdown.css';
import messages from './styles/messages.css';
import motion from './styles/motion.css';
import panel from './styles/panel.css';

/** The widget's style as a constructed sheet: a `<style>` element would need `'unsafe-inline'` in the page's policy. */
export function createStylesheet(): CSSStyleSheet {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(base + launcher + panel + messages + markdown + composer + motion);
  return sheet;
}
