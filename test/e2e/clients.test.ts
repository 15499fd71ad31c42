import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DAY_MS, HOUR_MS } from '../../src/domain/time/hour.ts';
import { type ArchiveServer, startArchiveServer } from '../exchange/archive-server.ts';
import { bracketedTrades } from '../exchange/bracketed-trades.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { loadTradesFile } from '../exchange/trades-file.ts';
import { REAL_DAY_PATH, realDayIsHere } from '../golden/real-day.ts';
import { unique } from '../support/command-line.ts';
import {
  CAN_RUN_CLIENTS_PYTHON,
  clientsPython,
  clientsPythonMissing,
  installPart,
} from '../support/python-environment.ts';
import { startServe } from '../support/served.ts';
import { Rig } from './rig.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const PAGES = ['docs/clients.md', 'docs/export.md', 'docs/api.md'];
const DAY = Date.UTC(2024, 0, 1);
/** Seven characters, as BTCUSDT, since programs may cut what they print to a width. */
const SYMBOL = unique('CL').slice(0, 7);

/** A program of a page, and its output there. */
interface Snippet {
  readonly page: string;
  readonly heading: string;
  readonly language: 'sh' | 'js' | 'python';
  readonly program: string;
  readonly output: string;
}

function snippetsOf(page: string, text: string): Snippet[] {
  return text
    .split(/^## /m)
    .slice(1)
    .flatMap((section) =>
      [...section.matchAll(/^```(sh|js|python)\n([\s\S]*?)^```\n\n```\n([\s\S]*?)^```$/gm)].map(
        ([, language, program = '', output = '']) => ({
          page,
          heading: section.slice(0, section.indexOf('\n')),
          language: language as Snippet['language'],
          program,
          output,
        }),
      ),
    );
}

const texts = await Promise.all(PAGES.map((page) => readFile(path.join(ROOT, page), 'utf8')));
const snippets = PAGES.flatMap((page, index) => snippetsOf(page, texts[index] ?? ''));

let server: ArchiveServer;
let rig: Rig;
/** The folder in which the programs run; it holds an export, as the page assumes. */
let place: string;
/** How the programs find `serve`. */
let served: Readonly<Record<'CDVAULT_URL' | 'CDVAULT_SERVE_PASSWORD', string>>;

beforeAll(async () => {
  if (!HAS_PSQL && IS_BUILD_MACHINE) installPart('psql');
  const trades = realDayIsHere()
    ? bracketedTrades(await loadTradesFile(REAL_DAY_PATH), DAY * 1000)
    : syntheticTrades({
        seed: 91,
        fromMs: DAY - HOUR_MS,
        toMs: DAY + DAY_MS + 2 * HOUR_MS,
        tradesPerHour: 300,
        firstId: 1_000,
      });
  server = await startArchiveServer([{ market: 'spot', symbol: SYMBOL, trades }]);
  rig = await Rig.start({ symbols: [{ symbol: SYMBOL, trades }], archiveUrl: server.url });
  place = await mkdtemp(path.join(tmpdir(), 'cdvault-clients-'));
  // So that programs can import packages.
  await symlink(path.join(ROOT, 'node_modules'), path.join(place, 'node_modules'));
  const range = ['--from', '2024-01-01', '--to', '2024-01-02'];
  const run = await rig.cli(['backfill', SYMBOL, ...range]);
  expect(run.exitCode, run.stderr).toBe(0);
  const { url, password } = await startServe(rig);
  served = { CDVAULT_URL: url, CDVAULT_SERVE_PASSWORD: password };
  const out = path.join(place, 'vault');
  const written = await rig.cli(['export', SYMBOL, ...range, '--out', out]);
  expect(written.exitCode, written.stderr).toBe(0);
  // For information only: the test must not fail because a machine is slow.
  const [seconds, peakMb] = [written.durationMs / 1e3, (written.peakBytes ?? 0) / 1e6];
  process.stderr.write(
    `export of a day: ${seconds.toFixed(1)} s, ${peakMb.toFixed(0)} MB\n${written.stdout}`,
  );
}, 600_000);

afterAll(async () => {
  await rig.dispose();
  await server.close();
  await rm(place, { recursive: true });
});

async function run({ language, program }: Snippet): Promise<string> {
  const text = program.replaceAll('BTCUSDT', SYMBOL);
  const file = path.join(place, `program.${{ sh: 'sh', js: 'mjs', python: 'py' }[language]}`);
  await writeFile(file, text);
  const command = { sh: 'sh', js: process.execPath, python: await interpreter(language) }[language];
  const { stdout } = await execa(command, [file], {
    cwd: place,
    env: { ...rig.env, ...served, TZ: 'America/New_York', PAGER: 'cat' },
  });
  return stdout.replaceAll(SYMBOL, 'BTCUSDT');
}

async function interpreter(language: Snippet['language']): Promise<string> {
  return language === 'python' ? clientsPython() : '';
}

/** Without spaces at the ends of lines, which psql adds. */
function trimmed(text: string): string[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd());
}

const HAS_PSQL = (await execa('psql', ['--version'], { reject: false })).exitCode === 0;
const IS_BUILD_MACHINE = process.env['CI'] === 'true';

function whySkipped(language: Snippet['language']): string | undefined {
  if (language === 'python' && !CAN_RUN_CLIENTS_PYTHON) return clientsPythonMissing('clients were');
  if (language !== 'sh' || HAS_PSQL || IS_BUILD_MACHINE) return undefined;
  process.stderr.write('PSQL MISSING: its snippet was not run. Install postgresql-client\n');
  return 'PSQL MISSING';
}

test('the pages have a program for every client', () => {
  expect(snippets.map(({ heading }) => heading)).toEqual([
    'psql',
    'Node.js: `pg`',
    'Node.js: `/exec`',
    'Python: psycopg',
    'Python: pandas',
    'Python: Polars, through `/exp` as Parquet',
    'DuckDB',
    'pandas',
    'curl',
    'Python: pandas',
    'DuckDB',
  ]);
  expect(texts.join('\n').match(/^```(sh|js|python)$/gm)).toHaveLength(snippets.length);
});

describe.each(snippets)('$page, $heading', (snippet) => {
  test.skipIf(whySkipped(snippet.language) !== undefined)(
    'prints the output that the page shows',
    async () => {
      const printed = trimmed(await run(snippet));
      // Made-up trades give other figures; then only the number of lines is compared.
      if (realDayIsHere()) expect(printed).toEqual(trimmed(snippet.output));
      else expect(printed).toHaveLength(trimmed(snippet.output).length);
    },
  );
});
