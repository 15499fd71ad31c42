import { type Dispatcher, EnvHttpProxyAgent, Pool } from 'undici';

/** The proxies for requests to the exchange; '' means none. */
export interface Proxies {
  /** URL of the proxy for http:// addresses. */
  readonly http: string;
  /** URL of the proxy for https:// addresses; '' means the one above. */
  readonly https: string;
  /** Hosts that are reached without a proxy, in the syntax of NO_PROXY. */
  readonly except: string;
}

export const NO_PROXIES: Proxies = { http: '', https: '', except: '' };

/** A proxy that does not answer a CONNECT in this time counts as unreachable. */
const TUNNEL_MS = 15_000;

/** The agent for requests to the exchange. Redis and QuestDB have their own agents, which use no proxy. */
export function outboundAgent(
  { http, https, except }: Proxies,
  options: Omit<EnvHttpProxyAgent.Options, 'httpProxy' | 'httpsProxy' | 'noProxy'>,
): Dispatcher {
  return new EnvHttpProxyAgent({
    ...options,
    clientFactory: (proxy, settings) => new Pool(proxy, { ...settings, headersTimeout: TUNNEL_MS }),
    httpProxy: http,
    httpsProxy: https,
    noProxy: except,
  });
}
