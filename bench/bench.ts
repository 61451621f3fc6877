/**
 * `npm run bench`: what Swarmgate costs and how fast it is, on this machine, load and servers included. Every figure stands
 * beside another of the same run, because a machine is never the same twice.
 *
 *   npm run bench                          every scenario, about half an hour
 *   npm run bench -- slack fairness        some of them
 *   npm run bench -- --small --json FILE   a tenth of the load, to see that it runs; figures for a program
 *
 * Needs `npm ci --prefix bench` once (the peers), and the servers that servers.ts names. Exit code 1: a bar is missed.
 */
import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { describeFigures, isMissed } from './figures.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { openServers } from './servers.ts';

const scenarios: Readonly<Record<string, () => Promise<Scenario>>> = {
  slack: async () => (await import('./scenarios/slack.ts')).slack,
  tenancy: async () => (await import('./scenarios/tenancy.ts')).tenancy,
  growth: async () => (await import('./scenarios/growth.ts')).growth,
  history: async () => (await import('./scenarios/history.ts')).history,
  fairness: async () => (await import('./scenarios/fairness.ts')).fairness,
  embedded: async () => (await import('./scenarios/embedded.ts')).embedded,
  access: async () => (await import('./scenarios/access.ts')).access,
  'own-apps': async () => (await import('./scenarios/own-apps.ts')).ownApps,
};

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { small: { type: 'boolean', default: false }, json: { type: 'string' } },
});
const unknown = positionals.filter((name) => !(name in scenarios));
if (unknown.length > 0)
  throw new Error(
    `There is no scenario ${unknown.join(', ')}; there are: ${Object.keys(scenarios).join(', ')}.`,
  );

const machine = {
  cores: cpus().length,
  processor: cpus()[0]?.model ?? 'unknown',
  memoryGb: Math.round(totalmem() / 2 ** 30),
  node: process.versions.node,
};
const results = [];
console.log(`${machine.cores} cores (${machine.processor}), ${machine.memoryGb} GB, Node ${machine.node}`);
for (const [name, load] of Object.entries(scenarios)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const { about, run } = await load();
  console.log(`\n── ${name}: ${about}\n`);
  const servers = await openServers();
  try {
    const figures = await run({ servers, scale: options.small ? 0.1 : 1 });
    console.log(describeFigures(figures));
    results.push({ scenario: name, figures });
  } finally {
    await servers.close();
  }
}
if (options.json) writeFileSync(options.json, `${JSON.stringify({ machine, results }, undefined, 2)}\n`);
process.exitCode = results.some(({ figures }) => figures.some(isMissed)) ? 1 : 0;
