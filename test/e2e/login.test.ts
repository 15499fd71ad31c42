import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { loginUrl } from '../../src/adapters/http/login-url.ts';
import type { App } from '../../src/cli/compose.ts';
import { proxied, type ProxiedServices, proxyServices } from '../support/proxied-services.ts';
import { rawRequest } from '../support/raw-request.ts';
import { authorization, type Served, startServe } from '../support/served.ts';
import { eventually, Rig } from './rig.ts';

let services: ProxiedServices;
let rig: Rig;
let app: App;
let served: Served;

beforeAll(async () => {
  services = await proxyServices(inject('services'));
  rig = await Rig.start({ symbols: [] });
  app = await rig.app();
  served = await startServe(rig, [], {
    ...proxied(services),
    CDVAULT_LOG: 'debug',
    CDVAULT_SERVE_HOSTS: 'cdv.example.com, other.example',
  });
});

afterAll(async () => {
  await rig.dispose();
  await services.close();
});

/** As a browser that follows a link: redirects are looked at, not followed. */
async function open(url: string, headers: Record<string, string> = {}, method = 'GET') {
  return fetch(url, { method, headers, redirect: 'manual' });
}

async function newLink(to?: string): Promise<string> {
  return loginUrl(served.url, await app.loginLinks.create(), to);
}

function cookieOf(response: Response): string {
  const [cookie = ''] = response.headers.getSetCookie();
  return cookie.split(';')[0] ?? '';
}

async function session(): Promise<string> {
  return cookieOf(await open(await newLink()));
}

const pageOf = async (response: Response) => ({
  status: response.status,
  text: await response.text(),
});

describe('a login link', () => {
  test('is printed, works once, and its cookie opens everything', async () => {
    const { link = '' } = served;
    const { port } = new URL(served.url);
    const first = await open(link);
    expect(first.status).toBe(303);
    expect(first.headers.get('location')).toBe('/');
    expect(first.headers.get('cache-control')).toBe('no-store');
    expect(first.headers.get('referrer-policy')).toBe('no-referrer');
    const cookies = first.headers.getSetCookie();
    expect(cookies).toHaveLength(1);
    const [secret = '', ...attributes] = (cookies[0] ?? '').split('; ');
    expect(secret).toMatch(new RegExp(`^cdvault-${port}=[\\w-]{43}$`));
    expect(attributes.toSorted()).toEqual([
      'HttpOnly',
      'Max-Age=43200',
      'Path=/',
      'SameSite=Strict',
    ]);
    expect(secret).not.toContain(link.split('/').at(-1));

    for (const path of ['/board', '/metrics', '/board/api/queues'])
      expect((await open(served.url + path, { Cookie: secret })).status).toBe(200);
    expect((await open(`${served.url}/nowhere`, { Cookie: secret })).status).toBe(404);

    const again = await open(link);
    expect(again.headers.getSetCookie()).toEqual([]);
    expect(await pageOf(again)).toEqual({
      status: 403,
      text: expect.stringMatching(/works once, within ten minutes[^]*cdvault chart/),
    });
  });

  test.each([
    ['wrong', async () => `${await newLink()}x`],
    ['empty', () => `${served.url}/login/`],
    ['cut', async () => (await newLink()).slice(0, -1)],
    [
      'too old',
      async () => {
        const link = await newLink();
        for (const key of await rig.redis().keys(`${rig.name}:login:*`))
          await rig.redis().pexpire(key, 0);
        return link;
      },
    ],
  ])('that is %s opens nothing', async (_, linkOf) => {
    const response = await open(await linkOf());
    expect([401, 403]).toContain(response.status);
    expect(response.headers.getSetCookie()).toEqual([]);
  });

  test.each([
    ['HEAD', {}, 405],
    ['GET', { 'Sec-Purpose': 'prefetch' }, 503],
    ['GET', { 'Sec-Purpose': 'prefetch;prerender' }, 503],
    ['GET', { Purpose: 'prefetch' }, 503],
    ['POST', {}, 401],
  ] as const)('is not used up by %s with %j', async (method, headers, status) => {
    const link = await newLink();
    const looked = await open(link, headers, method);
    expect(looked.status).toBe(status);
    expect(looked.headers.getSetCookie()).toEqual([]);
    expect((await open(link)).status).toBe(303);
  });

  test.each([
    ['/board', '/board'],
    ['/?symbol=BTCUSDT&from=2024-01-01#5m', '/?symbol=BTCUSDT&from=2024-01-01#5m'],
    ['//evil.example/x', '/'],
    ['/\\evil.example', '/'],
    ['/\t/evil.example', '/'],
    ['/.//evil.example', '/'],
    ['/x/..//evil.example', '/'],
    ['https://evil.example', '/'],
    ['https:evil.example', '/'],
    ['javascript:alert(1)', '/'],
    ['@evil.example', '/@evil.example'],
    ['', '/'],
  ])('to %j redirects to %j', async (to, path) => {
    const response = await open(await newLink(to));
    expect(response.status).toBe(303);
    expect(response.headers.get('location')).toBe(path);
  });

  test('that was used leads on in the browser that it has let in, and only there', async () => {
    const link = await newLink('/board');
    const cookie = cookieOf(await open(link));
    const again = await open(link, { Cookie: cookie });
    expect([again.status, again.headers.get('location')]).toEqual([303, '/board']);
    expect(again.headers.getSetCookie()).toEqual([]);
    expect((await open(link, { Cookie: `${cookie}x` })).status).toBe(403);
    // A new link is not used up by a browser that needs none.
    const other = await newLink();
    expect((await open(other, { Cookie: cookie })).status).toBe(303);
    expect(cookieOf(await open(other))).not.toBe('');
  });

  test('that a page of another site opens goes on by itself, since a redirect would lose the cookie', async () => {
    const to = '/board?a="><script>&b=1';
    const response = await open(await newLink(to), { 'Sec-Fetch-Site': 'cross-site' });
    expect(cookieOf(response)).not.toBe('');
    const page = await pageOf(response);
    expect(page.status).toBe(200);
    expect(page.text).toContain('content="0; url=/board?a=%22%3E%3Cscript%3E&amp;b=1"');
    expect(page.text).not.toContain('<script');
  });

  test('is in no log', async () => {
    const other = await startServe(rig, [], { ...proxied(services), CDVAULT_LOG: 'debug' });
    const tokens = [other.link?.split('/').at(-1) ?? '', await app.loginLinks.create()];
    for (const token of tokens) {
      const url = loginUrl(other.url, token);
      await services.redis.cut();
      expect((await open(url)).status).toBe(503);
      await services.redis.heal();
      await eventually('Redis answers again', async () => (await open(url)).status !== 503);
      await open(url);
      await other.ask(`/login/${token}/nothing`);
    }
    other.command.kill();
    const { stdout, stderr } = await other.command.done;
    expect(stderr).toContain('A login link could not be looked up');
    const lines = [...stderr.split('\n'), ...stdout.split('\n')];
    const [printed = '', created = ''] = tokens;
    expect(lines.filter((line) => line.includes(printed))).toEqual([
      `serve: ${other.link}  (works once, within 10 minutes)`,
    ]);
    expect(lines.filter((line) => line.includes(created))).toEqual([]);
  });

  test('is not printed with a configured password, when standard error is no terminal', async () => {
    const other = await startServe(rig, [], { CDVAULT_SERVE_PASSWORD: 'chosen' });
    expect((await other.ask('/metrics')).status).toBe(200);
    other.command.kill();
    expect((await other.command.done).stderr).not.toContain('/login/');
  });

  test('made by another command opens a serve that has announced itself', async () => {
    await eventually('serve is found', async () => (await app.serveAddress.find()) !== undefined);
    const other = await startServe(rig, ['--host', '127.0.0.2']);
    await eventually('the newest is found', async () => {
      return (await app.serveAddress.find())?.own === other.url;
    });
    expect((await open(loginUrl(other.url, await app.loginLinks.create()))).status).toBe(303);
    other.command.kill();
    await other.command.done;
    expect(await app.serveAddress.find()).toBeUndefined();
  });
});

describe('a session', () => {
  test('is that of its cookie only, and ends with serve', async () => {
    const cookie = await session();
    const [name = '', secret = ''] = cookie.split('=');
    const other = await startServe(rig);
    const { port } = new URL(other.url);
    for (const [url, wrong] of [
      [served.url, `${name}=${secret}x`],
      [served.url, `${name}=`],
      [served.url, `cdvault=${secret}`],
      [other.url, `cdvault-${port}=${secret}`],
    ]) {
      const response = await open(`${url}/metrics`, { Cookie: wrong ?? '' });
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toBe('Basic realm="cdvault"');
    }
    expect((await open(`${served.url}/metrics`, { Cookie: cookie })).status).toBe(200);
  });

  test('and password work while Redis does not answer; a link is answered with what to do', async () => {
    const cookie = await session();
    const link = await newLink();
    onTestFinished(async () => services.redis.heal());
    await services.redis.cut();
    expect((await open(`${served.url}/metrics`, { Cookie: cookie })).status).toBe(200);
    expect((await served.ask('/metrics')).status).toBe(200);
    const refused = await pageOf(await open(link));
    expect(refused).toEqual({ status: 503, text: expect.stringContaining('user name and the') });
    await services.redis.heal();
    await eventually('the link works', async () => (await open(link)).status === 303);
  });
});

describe('a request that changes something', () => {
  const OWN = () => new URL(served.url).origin;
  const change = async (headers: Record<string, string>) => {
    const response = await fetch(`${served.url}/board/api/queues/tick/pause`, {
      method: 'PUT',
      headers,
    });
    return response.status;
  };
  const JSON_TYPE = { 'Content-Type': 'application/json' };

  test.each([
    ['of another site', 403, () => ({ 'Sec-Fetch-Site': 'cross-site' })],
    ['of another port of this host', 403, () => ({ 'Sec-Fetch-Site': 'same-site' })],
    ['of an unknown origin', 403, () => ({ Origin: 'null' })],
    ['of another origin', 403, () => ({ Origin: 'http://evil.example' })],
    [
      'of another site that claims our origin',
      403,
      () => ({ 'Sec-Fetch-Site': 'cross-site', Origin: OWN() }),
    ],
    ['of our own page', 200, () => ({ 'Sec-Fetch-Site': 'same-origin' })],
    ['of our own origin', 200, () => ({ Origin: OWN() })],
  ])('%s is answered %d, by cookie and by password', async (_, status, headersOf) => {
    const ways = [
      { Cookie: await session() },
      { Authorization: authorization('cdvault', served.password) },
    ];
    for (const way of ways) {
      const headers = { ...JSON_TYPE, ...way, ...headersOf() };
      expect(await change(headers)).toBe(status);
    }
  });

  test('and does not say where it comes from needs the password and a type that no form has', async () => {
    const Cookie = await session();
    const Authorization = authorization('cdvault', served.password);
    expect(await change({ ...JSON_TYPE, Cookie })).toBe(403);
    expect(await change({ Authorization })).toBe(403);
    expect(await change({ ...JSON_TYPE, Authorization })).toBe(200);
  });
});

describe('the host that a request names', () => {
  const port = () => new URL(served.url).port;
  const asked = async (host: string, path: string) =>
    rawRequest(served.url + path, {
      Host: host,
      Authorization: authorization('cdvault', served.password),
    });

  test.each([
    '127.0.0.1',
    '192.0.2.7',
    '[::1]',
    'localhost',
    'LOCALHOST',
    'serve',
    'cdv.example.com',
    'Other.Example',
  ])('may be %s', async (name) => {
    for (const host of [name, `${name}:${port()}`])
      expect(await asked(host, '/metrics')).toMatchObject({ status: 200 });
  });

  test.each(['evil.example', 'x.cdv.example.com', '127.0.0.1.evil.example', 'localhost.evil'])(
    'may not be %s, also with the password',
    async (name) => {
      for (const path of ['/', '/metrics', '/board/api/queues', '/nowhere']) {
        const { status, body } = await asked(`${name}:${port()}`, path);
        expect(status).toBe(403);
        expect(JSON.parse(body)).toEqual({
          error: {
            code: 'USAGE',
            message: `${name} is not a known name of this server`,
            advice: expect.stringContaining('CDVAULT_SERVE_HOSTS'),
            retryable: false,
          },
        });
      }
      for (const path of ['/healthz', '/readyz'])
        expect(await asked(name, path)).toMatchObject({ status: 200 });
    },
  );

  test.each(['a b', 'a/b', 'x:y'])('must be one, unlike %j', async (host) => {
    expect(await asked(host, '/metrics')).toMatchObject({ status: 400 });
  });

  test('is looked at before a login link is used up', async () => {
    const link = await newLink();
    const { status } = await rawRequest(link, { Host: 'evil.example' });
    expect(status).toBe(403);
    expect((await open(link)).status).toBe(303);
  });
});
