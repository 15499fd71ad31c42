import { describe, expect, it, test } from 'vitest';
import { loadConfig, SETTINGS } from '../../src/config.ts';
import { DEFAULT_TIERS } from '../../src/domain/bars/tier.ts';

describe('CDVAULT_TIERS', () => {
  it('gives the lower bounds of all tiers but the first, which is 0', () => {
    expect(loadConfig({ tiers: '500, 10000' }).tiers).toEqual([0, 500, 10_000]);
    expect(loadConfig({}, {}).tiers).toEqual(DEFAULT_TIERS);
  });

  it.each([' ', '0,10', '10,5', '10,10', 'abc', '1e4', '-5', '1.5', '10,', `1${'0'.repeat(15)}`])(
    'refuses %j',
    (tiers) => {
      expect(() => loadConfig({ tiers })).toThrow(
        'CDVAULT_TIERS must be up to 15 ascending whole numbers like 10000,100000,1000000',
      );
    },
  );
});

/** The lines of the error for an environment, or none when it is accepted. */
function refusal(env: Readonly<Record<string, string>>, overrides = {}): string[] {
  try {
    loadConfig(overrides, env);
  } catch (error) {
    expect(error).toMatchObject({ code: 'USAGE', exitCode: 2 });
    return (error as Error).message.split('\n');
  }
  return [];
}

test('one error names all invalid values, but no passwords', () => {
  const env = {
    REDIS_URL: 'http://:secret@127.0.0.1',
    QUESTDB_PG_URL: 'mysql://u:secret@127.0.0.1/qdb',
    BINANCE_SPOT_URL: 'ftp://api.example',
    HTTPS_PROXY: 'ftp://u:secret@proxy.example',
    CDVAULT_WEIGHT_SHARE: '1.5',
    CDVAULT_CONCURRENCY: '65',
    CDVAULT_TIERS: '10,5',
    CDVAULT_SERVE_USER: 'a:b',
    CDVAULT_SERVICES: 'docker',
    CDVAULT_LOG: 'loud',
  };
  expect(refusal(env, { servePort: '99999' })).toEqual([
    'REDIS_URL is not a redis:// URL',
    'QUESTDB_PG_URL is not a postgresql:// URL',
    'BINANCE_SPOT_URL is not a https:// URL: "ftp://api.example"',
    'HTTPS_PROXY is not a http:// URL',
    '--weight-share (CDVAULT_WEIGHT_SHARE) must be a number from 0.01 to 1, not "1.5"',
    '--concurrency (CDVAULT_CONCURRENCY) must be auto or a whole number from 1 to 64, not "65"',
    'CDVAULT_TIERS must be up to 15 ascending whole numbers like 10000,100000,1000000, not "10,5"',
    '--port (CDVAULT_SERVE_PORT) must be a whole number from 0 to 65535, not "99999"',
    '--user (CDVAULT_SERVE_USER) must not contain a colon',
    'CDVAULT_SERVICES must be one of environment, containers, native, not "docker"',
    'CDVAULT_LOG must be one of debug, info, warn, error, not "loud"',
  ]);
});

test.each(['1.7', '0', '-1', '1e1', '0x8', 'many', ' '])(
  'CDVAULT_CONCURRENCY=%j is refused, not rounded',
  (value) => {
    expect(refusal({ CDVAULT_CONCURRENCY: value })).toEqual([
      expect.stringMatching(
        /^--concurrency \(CDVAULT_CONCURRENCY\) must be auto or a whole number from 1 to 64/,
      ),
    ]);
  },
);

test('CDVAULT_CONCURRENCY may be auto', () => {
  expect(loadConfig({}, { CDVAULT_CONCURRENCY: 'auto' }).concurrency).toBe('auto');
});

test('unset and empty variables give the defaults', () => {
  const empty = Object.fromEntries(Object.values(SETTINGS).map(({ env }) => [env, '']));
  const { childEnv: _, ...services } = loadConfig({}, empty).services;
  expect(services).toEqual({
    redisUrl: '',
    questdbHttpUrl: '',
    questdbPgUrl: '',
    questdbReadonlyPgUrl: '',
    rung: '',
    homeDir: loadConfig({}, {}).homeDir,
    javaHome: '',
    jarDir: expect.stringMatching(/\.cdvault\/jars$/) as string,
  });
  expect(loadConfig({}, empty)).toMatchObject({
    concurrency: 8,
    weightShare: 0.6,
    logLevel: 'warn',
    proxies: { http: '', https: '', except: '' },
    serve: {
      host: '127.0.0.1',
      port: 9180,
      user: 'cdvault',
      hosts: ['127.0.0.1'],
      password: undefined,
    },
  });
});

test('names of serve are listed without scheme and port, in any case', () => {
  const hostsOf = (CDVAULT_SERVE_HOSTS: string) => loadConfig({}, { CDVAULT_SERVE_HOSTS }).serve;
  expect(hostsOf(' CDV.example.com, b.example ,')).toMatchObject({
    hosts: ['127.0.0.1', 'cdv.example.com', 'b.example'],
  });
  for (const value of ['http://a.example', 'a.example:80', '*.example', 'a b', 'a.example.'])
    expect(refusal({ CDVAULT_SERVE_HOSTS: value })).toEqual([
      'CDVAULT_SERVE_HOSTS must be host names like cdvault.example.com, without scheme and port',
    ]);
});

test('the URL of serve is a place without a path, whose name is allowed', () => {
  const serveOf = (CDVAULT_SERVE_URL: string) => loadConfig({}, { CDVAULT_SERVE_URL }).serve;
  expect(serveOf('https://Cdv.example.com:8443/')).toMatchObject({
    url: 'https://cdv.example.com:8443',
    hosts: ['127.0.0.1', 'cdv.example.com'],
  });
  expect(serveOf('').url).toBeUndefined();
  for (const value of ['https://a.example/x', 'https://u:p@a.example', 'https://a.example?x', 'x'])
    expect(refusal({ CDVAULT_SERVE_URL: value })).toEqual([
      'CDVAULT_SERVE_URL must be a URL like https://cdvault.example.com, without user, path and query',
    ]);
});

test('proxy variables may be in upper or lower case, and need no scheme', () => {
  const { proxies } = loadConfig(
    {},
    { HTTP_PROXY: 'upper:1', http_proxy: 'lower:2', HTTPS_PROXY: 'https://p:3', no_proxy: 'x' },
  );
  expect(proxies).toEqual({ http: 'http://lower:2', https: 'https://p:3', except: 'x' });
});
