/** `npm run build:widget`: builds the chat widget anew; `npm start` does so by itself when its sources have changed. */
import { buildWidget } from '../../web/widget/build.ts';

const { directory } = await buildWidget();
console.log(`Built the widget into ${directory}.`);
