import { type Dispatcher, EnvHttpProxyAgent, Pool } from 'undici';

/** How requests leave this machine; '' is directly. */
export interface Proxies {
  /** URL of the proxy for http:// addresses. */
  readonly http: string;
  /** URL of that for https:// ones; '' is the one above. */
  readonly https: string;
  /** Hosts that are asked directly, as NO_PROXY lists them. */
  readonly except: string;
}

export const NO_PROXIES: Proxies = { http: '', https: '', except: '' };

/** A proxy that says nothing to CONNECT is as good as gone. */
const TUNNEL_MS = 15_000;

/** What asks hosts of the exchange. Services are asked by agents of their own, which know no proxy. */
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
