import type { Dispatcher } from 'undici';
import { CdvaultError } from '../../domain/errors.ts';
import type { SendAlert } from '../../ports/alerts.ts';
import { outboundAgent, type Proxies } from '../system/proxies.ts';

const ANSWER_MS = 10_000;

/**
 * Posts each alert as JSON. Redirects are not followed.
 * @param url may contain a secret, so errors name only its host
 */
export function createWebhook(
  url: string,
  proxies: Proxies,
): { send: SendAlert; close: () => Promise<void> } {
  const { origin, pathname, search, host } = new URL(url);
  const agent: Dispatcher = outboundAgent(proxies, {
    headersTimeout: ANSWER_MS,
    bodyTimeout: ANSWER_MS,
  });
  return {
    async send(message, signal) {
      const refused = (why: string, cause?: unknown) =>
        new CdvaultError('ALERT_REFUSED', `${host} did not take the alert: ${why}`, { cause });
      try {
        const { statusCode, body } = await agent.request({
          origin,
          path: pathname + search,
          method: 'POST',
          headers: { 'content-type': 'application/json', 'user-agent': 'cdvault' },
          body: JSON.stringify(message),
          signal,
        });
        await body.dump();
        if (statusCode >= 300) throw refused(`HTTP ${statusCode}`);
      } catch (error) {
        signal.throwIfAborted();
        throw error instanceof CdvaultError
          ? error
          : refused(error instanceof Error ? error.message : String(error), error);
      }
    },
    close: async () => agent.destroy(),
  };
}
