import { expect, test } from 'vitest';
import { createMetrics } from './metrics.ts';

test('security events are counted by their kind and nothing else', async () => {
  const metrics = createMetrics(async () => []);
  metrics.securityEvent('cross_tenant');
  metrics.securityEvent('cross_tenant');
  metrics.securityEvent('refresh_reuse');
  const lines = (await metrics.render()).split('\n').filter((line) => line.startsWith('swarmgate_security'));
  expect(lines).toEqual([
    'swarmgate_security_events_total{kind="cross_tenant"} 2',
    'swarmgate_security_events_total{kind="refresh_reuse"} 1',
  ]);
});

test('how late the audit trail is sealed is told by those who seal it', async () => {
  const metrics = createMetrics(async () => []);
  expect(await metrics.render()).not.toContain('seal_lag');
  metrics.auditSealLag(3);
  metrics.auditSealLag(1.5);
  expect(await metrics.render()).toMatch(/^swarmgate_audit_seal_lag_seconds 1\.5$/m);
});

test('attempts to send webhooks are counted by what came of them, and by nobody’s name', async () => {
  const metrics = createMetrics(async () => [{ kind: 'webhook', depth: 3, oldestSeconds: 7 }]);
  metrics.webhookAttempt('delivered');
  metrics.webhookAttempt('timed_out');
  const rendered = await metrics.render();
  expect(rendered).toContain('swarmgate_webhook_attempts_total{outcome="timed_out"} 1');
  expect(rendered).toContain('swarmgate_queue_oldest_seconds{kind="webhook"} 7');
});
