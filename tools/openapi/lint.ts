/** Fails when the description of the API is not what ruleset.ts asks for. */
import { describeApi } from '../../src/admin/openapi.ts';
import { ensureInstalled } from '../ensure-installed.ts';

ensureInstalled('openapi');
const { createLinter } = await import('./linter.ts');
const lint = createLinter();

const description = describeApi('https://swarmgate.example');
const findings = await lint(description);
for (const { rule, message, place } of findings) console.error(`${place}: ${message} (${rule})`);

// A linter that has lost its rules finds nothing either.
const spoilt = structuredClone(description);
const { parameters } = Object(spoilt['paths'])['/tenants/{tenantId}'].get;
parameters[0].schema = { type: 'string' };
delete Object(spoilt['paths'])['/tenants/{tenantId}'].patch.operationId;
const rulesBroken = new Set((await lint(spoilt)).map(({ rule }) => rule));
const isAwake = rulesBroken.has('incoming-text-is-bounded') && rulesBroken.has('operation-operationId');
if (!isAwake)
  console.error('The linter does not see what is planted: tools/openapi/ruleset.ts has no effect.');

process.exitCode = findings.length === 0 && isAwake ? 0 : 1;
