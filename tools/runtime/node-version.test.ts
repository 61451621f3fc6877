import { expect, test } from 'vitest';
import { isNewEnough } from './node-version.js';

test.each(['22.18.0', '22.22.1', '23.6.0', '24.0.0', '24.21.0', '30.1.0'])(
  'Node %s is new enough',
  (version) => {
    expect(isNewEnough(version)).toBe(true);
  },
);

test.each(['18.20.4', '20.20.2', '22.17.1', '23.5.0'])('Node %s is too old', (version) => {
  expect(isNewEnough(version)).toBe(false);
});
