import { createWebhook } from '../adapters/alerts/webhook.ts';
import { keepAlerting } from '../app/alerts/keep-alerting.ts';
import { createWatch } from '../app/watch.ts';
import { VERSION } from '../version.ts';
import type { App } from './compose.ts';

/** Tells CDVAULT_ALERT_URL what stays wrong, until the signal is aborted; does nothing without that variable. */
export async function alertByWebhook(app: App, signal: AbortSignal): Promise<void> {
  const { config, queue, alertStates: states, leases, clock, log } = app;
  if (config.alertUrl === undefined) return;
  const watch = createWatch({ ...app, pingRedis: () => queue.counts(['tick']) });
  const { send, close } = createWebhook(config.alertUrl, config.proxies);
  try {
    await keepAlerting({ watch, states, leases, send, clock, log, version: VERSION }, signal);
  } finally {
    await close();
  }
}
