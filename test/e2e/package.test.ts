import { execFile, type ExecFileException } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { QTY_SCALE, formatDecimal } from '../../src/domain/trade/decimal.ts';
import { HOUR_MS } from '../../src/domain/time/hour.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { unique } from '../support/command-line.ts';
import { deltaE8Of, truth } from './reference.ts';
import { Rig } from './rig.ts';

/** The package as users get it: packed, installed by npm into an empty folder, and run from there. */

const ROOT = path.join(import.meta.dirname, '../..');
const DAY = Date.UTC(2024, 5, 12);
const HOURS = 3;
const RANGE = ['--from', '2024-06-12T00:00Z', '--to', '2024-06-12T03:00Z'];
const SYMBOL = unique('PACKED');
const trades = syntheticTrades({
  seed: 88,
  fromMs: DAY - HOUR_MS,
  toMs: DAY + (HOURS + 1) * HOUR_MS,
  tradesPerHour: 800,
});
const deltaOfHour = (hour: number): string => {
  const startMs = DAY + hour * HOUR_MS;
  const rows = truth(trades, { startMs, endMs: startMs + HOUR_MS });
  return formatDecimal(deltaE8Of(rows), QTY_SCALE);
};

interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

let rig: Rig;
/** Empty but for what this test puts there: the tarball, the installation, the user's home. */
let folder: string;
let tarball: string;
let userEnv: Record<string, string>;

/** Beside the services' URLs, the environment of a user without settings. */
beforeAll(async () => {
  rig = await Rig.start({ symbols: [{ symbol: SYMBOL, trades }] });
  folder = await mkdtemp(path.join(tmpdir(), 'cdvault-package-'));
  for (const name of ['installed', 'home']) await mkdir(path.join(folder, name));
  userEnv = {
    ...rig.env,
    HOME: path.join(folder, 'home'),
    npm_config_update_notifier: 'false',
  };
  await npm(ROOT, 'pack', '--pack-destination', folder);
  const [packed = ''] = (await readdir(folder)).filter((name) => name.endsWith('.tgz'));
  tarball = path.join(folder, packed);
  const quietly = ['--no-audit', '--no-fund', '--prefer-offline', tarball];
  await npm(path.join(folder, 'installed'), 'install', ...quietly);
});

afterAll(async () => {
  await cdvault('down');
  await rig.dispose();
  await rm(folder, { recursive: true, force: true });
});

async function run(
  [command, ...args]: readonly [string, ...string[]],
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(command, args, { cwd, env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
      resolve({ exitCode: codeOf(error), stdout, stderr }),
    );
  });
}

/** A command that could not be started, or that a signal has ended, has no number. */
const codeOf = (error: ExecFileException | null): number =>
  error === null ? 0 : typeof error.code === 'number' ? error.code : -1;

/** With the registry and the cache of whoever runs the tests. */
async function npm(cwd: string, ...args: string[]): Promise<void> {
  const env = { ...process.env, PATH: userEnv['PATH'] };
  const ran = await run(['npm', ...args], cwd, env);
  expect(ran, ran.stdout + ran.stderr).toMatchObject({ exitCode: 0 });
}

const cdvault = async (...args: string[]): Promise<Outcome> =>
  run(['npx', '--no', '--', 'cdvault', ...args], path.join(folder, 'installed'), userEnv);

const succeeds = async (...args: string[]): Promise<Outcome> => {
  const ran = await cdvault(...args);
  expect(ran, ran.stdout + ran.stderr).toMatchObject({ exitCode: 0 });
  return ran;
};

const jsonLines = ({ stdout }: Outcome): Record<string, unknown>[] =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test('the package holds what it runs and the pages about it, and nothing else', async () => {
  const { stdout } = await run(['tar', '-tzf', tarball], folder, process.env);
  const names = stdout
    .trimEnd()
    .split('\n')
    .map((name) => name.replace(/^package\//, ''));
  const expected =
    /^(?:package\.json|LICENSE|(?:README|CHANGELOG|SPEC)\.md|\.env\.example|docker-compose\.yml|bin\/cdvault|dist\/[\w/-]+\.js|dist\/page\/bundle\.css|migrations\/\w+\.sql|docs\/[\w-]+\.md|docs\/fingerprint\.py|docs\/images\/chart\.png|grafana\/(?:dashboards|provisioning)\/[\w/-]+\.(?:json|yml)|scripts\/(?:with-node|install-services)\.sh)$/;
  expect(names.filter((name) => !expected.test(name))).toEqual([]);
  const count = (pattern: RegExp) => names.filter((name) => pattern.test(name)).length;
  const migrations = await readdir(path.join(ROOT, 'migrations'));
  expect(count(/^migrations\//)).toBe(migrations.length);
  expect(count(/^grafana\/dashboards\//)).toBe(3);
  // 0.64 MB when this was written: twice that would be something that does not belong here.
  const { size } = await stat(tarball);
  expect(size).toBeGreaterThan(300_000);
  expect(size).toBeLessThan(1_300_000);
});

test('--version and --help', async () => {
  expect(await succeeds('--version')).toMatchObject({ stdout: `${packageJson.version}\n` });
  expect((await succeeds('--help')).stdout).toContain('Usage: cdvault [options] [command]');
  expect(await cdvault('no-such-command')).toMatchObject({ exitCode: 2 });
});

test('up, backfill, show, verify and a chart, with the right figures', async () => {
  expect((await succeeds('up')).stderr).toContain('ready (environment)');
  await succeeds('backfill', SYMBOL, ...RANGE, '--source', 'rest');
  const bars = jsonLines(await succeeds('show', SYMBOL, ...RANGE, '--interval', '1h', '--json'));
  expect(bars.map(({ delta }) => delta)).toEqual([0, 1, 2].map(deltaOfHour));
  const checked = jsonLines(await succeeds('verify', SYMBOL, ...RANGE, '--json'));
  expect(checked.at(-1)).toEqual({ type: 'summary', exitCode: 0 });
  const chart = path.join(folder, 'installed', 'chart.html');
  await succeeds('chart', SYMBOL, ...RANGE, '--out', 'chart.html');
  const page = await readFile(chart, 'utf8');
  expect(page).toContain('id="cdvault-answers"');
  expect(page).toContain(SYMBOL);
  // The bundled library of the page.
  expect(page.length).toBeGreaterThan(200_000);
  expect((await cdvault('show', SYMBOL, '--interval', '7m', ...RANGE)).exitCode).toBe(2);
});

test('serve runs in the background, with its log in a folder of the user', async () => {
  const { stderr } = await succeeds('serve', '--background', '--port', '0');
  const url = /serve: (http:\S+)\/ runs in the background/.exec(stderr)?.[1] ?? '';
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  expect(existsSync(path.join(folder, 'home/.local/share/cdvault/serve/serve.log'))).toBe(true);
  const own = path.join(folder, 'installed/node_modules/cdvault');
  expect(await readdir(own)).not.toContain('.cdvault');
  expect((await succeeds('down')).stderr).toContain('stopped serve');
});

test.each([
  ['an absolute XDG_DATA_HOME moves the folder', '/data', '/data/cdvault'],
  ['a relative one is ignored', 'data', '/user/.local/share/cdvault'],
  ['an empty one is not set', '', '/user/.local/share/cdvault'],
])('%s', async (_, dataHome, expected) => {
  const config = path.join(folder, 'installed/node_modules/cdvault/dist/config.js');
  const program = `import { loadConfig } from ${JSON.stringify(config)};
    const { homeDir, services } = loadConfig();
    console.log(homeDir, services.jarDir);`;
  const shown = await run([process.execPath, '-e', program], folder, {
    HOME: '/user',
    XDG_DATA_HOME: dataHome,
  });
  expect(shown.stdout).toBe(`${expected} ${expected}/jars\n`);
});

test('an unfit Node.js is named instead of a stack trace', async () => {
  const bin = path.join(folder, 'old-node');
  await mkdir(bin);
  await run(['sh', '-c', `printf '#!/bin/sh\\necho v20.1.0\\n' >node; chmod +x node`], bin, {
    PATH: process.env['PATH'],
  });
  const program = path.join(folder, 'installed/node_modules/.bin/cdvault');
  const ran = await run([program, '--version'], folder, { PATH: `${bin}:/usr/bin:/bin` });
  expect(ran).toMatchObject({ exitCode: 1, stdout: '' });
  expect(ran.stderr).toContain('needs Node.js 22.22+, 24 or 26+; the node on the PATH is 20.1.0');
});

test('installed for the whole machine it runs from any folder', async () => {
  const prefix = path.join(folder, 'global');
  const place = ['--global', '--prefix', prefix, '--no-audit', '--no-fund', '--prefer-offline'];
  await npm(folder, 'install', ...place, tarball);
  const ran = await run([path.join(prefix, 'bin/cdvault'), 'show', SYMBOL, ...RANGE], '/', userEnv);
  expect(ran, ran.stderr).toMatchObject({ exitCode: 0 });
});
