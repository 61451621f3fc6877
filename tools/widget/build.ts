/** `npm run build:widget`: builds the chat widget anew; `npm start` does so by itself when its sources have changed. */
import { buildWidget, widgetDirectory } from '../../web/widget/build.ts';

await buildWidget();
console.log(`Built the widget into ${widgetDirectory}.`);
