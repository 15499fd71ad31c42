import { authorization } from '../support/served.ts';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ensureServices, stopServices } from '../../src/adapters/services/ladder.ts';
import { startCli } from '../support/command-line.ts';
import { makeOwnServices, type OwnServices } from '../support/own-services.ts';

/** Commands that start Redis and QuestDB themselves. */

let own: OwnServices;

beforeEach(async () => {
  own = await makeOwnServices();
});

afterEach(async () => own.dispose());

function env(): Record<string, string> {
  const { PATH = '', HOME = '', JAVA_HOME } = own.options.childEnv;
  return {
    PATH,
    HOME,
    ...(JAVA_HOME === undefined ? {} : { JAVA_HOME }),
    CDVAULT_SERVICES: 'native',
    CDVAULT_HOME: own.options.homeDir,
  };
}

test.each(['up', 'env'])(
  '%s exits with 130 when it is interrupted while QuestDB starts',
  async (verb) => {
    const command = startCli([verb], {
      env: env(),
      onLine: (line) => {
        if (line.startsWith('starting QuestDB')) command.kill('SIGINT');
      },
    });
    const { exitCode, stdout, stderr } = await command.done;
    expect(stderr).toContain('error INTERRUPTED: interrupted');
    expect(stderr).not.toMatch(/^\s+at /m);
    expect({ exitCode, stdout }).toEqual({ exitCode: 130, stdout: '' });
    // The next command finds the services that were started.
    await ensureServices(own.options);
    expect(await stopServices(own.options)).toEqual({ stopped: ['Redis', 'QuestDB'] });
  },
);

test('serve --background answers until down stops it, and its log holds no secret', async () => {
  const { homeDir } = own.options;

  // Its proxy need not run, and need not be reached from here.
  const proxied = { ...env(), CDVAULT_SERVE_URL: 'https://cdvault.invalid' };
  const run = async (...args: string[]) => startCli(args, { env: proxied }).done;
  const lineOf = (text: string) => text.split('\n').find((line) => line.startsWith('serve: http'));
  const started = await run('serve', '--background', '--port', '0');
  const [, url = ''] =
    /^serve: (http:\S+)\/ runs in the background/.exec(lineOf(started.stderr) ?? '') ?? [];
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
  expect((await fetch(url)).status).toBe(401);
  const [, password = ''] =
    /programs use the user cdvault and the password (\S+), /.exec(started.stderr) ?? [];
  const Authorization = authorization('cdvault', password);
  expect((await fetch(`${url}/metrics`, { headers: { Authorization } })).status).toBe(200);

  // Links of another command open it; a second serve in the background is the first.
  const again = await run('serve', '--background', '--port', '0');
  expect(again.exitCode).toBe(0);
  expect(lineOf(again.stderr)).toBe(`serve: ${url}/ was already running`);

  expect(await readdir(path.join(homeDir, 'serve'))).toEqual(['serve.log', 'serve.pid']);
  const log = await readFile(path.join(homeDir, 'serve', 'serve.log'), 'utf8');
  expect(log).toBe(
    `serve: ${url}/  (the chart page; also /board, /metrics, /api/v1), user cdvault\n`,
  );

  const down = await run('down');
  expect(down.stderr).toMatch(/^stopping serve [^]*stopping Redis[^]*stopped serve, Redis, Que/);
  await expect(fetch(`${url}/healthz`)).rejects.toThrow('fetch failed');
  expect((await run('down')).stderr).toBe('nothing of cdvault was running\n');
});

test('serve --background that cannot listen fails with the end of its log', async () => {
  const { port } = new URL((await ensureServices(own.options)).questdbHttpUrl);
  const failed = await startCli(['serve', '--background', '--port', port], { env: env() }).done;
  expect(failed.exitCode).toBe(5);
  expect(failed.stderr).toMatch(
    /error SERVICE_START_FAILED: serve: it ended at once[^]*EADDRINUSE/,
  );
});
