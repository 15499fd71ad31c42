import type { ServiceUrls } from '../../src/adapters/services/types.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

/** The given services, each with a proxy in front that can fail. */
export interface ProxiedServices {
  readonly urls: ServiceUrls;
  readonly redis: TcpProxy;
  readonly questdbHttp: TcpProxy;
  readonly questdbPg: TcpProxy;
  close(): Promise<void>;
}

export async function proxyServices(services: ServiceUrls): Promise<ProxiedServices> {
  const [redis, questdbHttp, questdbPg] = await Promise.all(
    [services.redisUrl, services.questdbHttpUrl, services.questdbPgUrl].map(async (url) => {
      const { hostname, port } = new URL(url);
      return startTcpProxy(Number(port), hostname);
    }),
  );
  if (redis === undefined || questdbHttp === undefined || questdbPg === undefined)
    throw new Error('a proxy is missing');
  return {
    urls: {
      ...services,
      redisUrl: through(redis, services.redisUrl),
      questdbHttpUrl: through(questdbHttp, services.questdbHttpUrl),
      questdbPgUrl: through(questdbPg, services.questdbPgUrl),
      questdbReadonlyPgUrl: through(questdbPg, services.questdbReadonlyPgUrl),
    },
    redis,
    questdbHttp,
    questdbPg,
    close: async () => {
      await Promise.all([redis.close(), questdbHttp.close(), questdbPg.close()]);
    },
  };
}

/** Variables that send a command through the proxies; connections of the test itself are not affected. */
export function proxied({ urls }: ProxiedServices): Record<string, string> {
  return {
    REDIS_URL: urls.redisUrl,
    QUESTDB_HTTP_URL: urls.questdbHttpUrl,
    QUESTDB_PG_URL: urls.questdbPgUrl,
    QUESTDB_READONLY_PG_URL: urls.questdbReadonlyPgUrl,
  };
}

function through(proxy: TcpProxy, url: string): string {
  const proxied = new URL(url);
  proxied.hostname = '127.0.0.1';
  proxied.port = String(proxy.port);
  return proxied.href;
}
