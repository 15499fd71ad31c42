/**
 * `make bench`: what the REST road does on this machine, against the simulated exchange.
 *   lifted   one worker process, no weight limit: rows a second, and where the time goes
 *   budget   three whole minutes at --weight-share 1: how much of the limit is used, refusals
 * Figures are of this machine and a simulator on the same cores; the exchange's own answers take
 * 100 to 200 ms instead of 2.
 */
import { parseArgs } from 'node:util';
import path from 'node:path';
import { ensureServices } from '../../src/adapters/services/ladder.ts';
import { renderTable } from '../../src/cli/table.ts';
import { formatInteger } from '../../src/cli/progress-text.ts';
import { type CliResult, cliEnv, startCli, unique } from '../support/command-line.ts';
import { startExchangeProcess } from '../support/exchange-process.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const FROM = '2024-03-01T00:00:00Z';
const MINUTE_MS = 60_000;
const WEIGHT_LIMIT = 6_000;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '5' },
    minutes: { type: 'string', default: '3' },
    only: { type: 'string', default: 'lifted,budget' },
  },
});

const services = await ensureServices({
  env: process.env,
  homeDir: path.join(ROOT, '.cdvault', 'bench'),
  say: (line) => console.error(line),
});

interface Work {
  readonly rows: number;
  readonly tradeRequests: number;
  readonly retries: number;
  readonly waitMs: number;
  readonly fetchMs: number;
  readonly decodeMs: number;
  readonly writeMs: number;
}

interface Summary {
  readonly durationMs: number;
  readonly proven: number;
  readonly wantedHours: number;
  readonly work: Work;
}

function summaryOf({ stdout, stderr, exitCode }: CliResult): Summary {
  const lines = stdout.split('\n').filter((line) => line.startsWith('{'));
  const last = JSON.parse(lines.at(-1) ?? '{}') as Summary & { type?: string };
  if (exitCode !== 0 || last.type !== 'summary')
    throw new Error(`the backfill failed (${exitCode}): ${stderr}`);
  return last;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((left, right) => left - right)[Math.floor(numbers.length / 2)] ?? 0;
}

/** A day of 36,000 trades an hour, about the busiest symbol's. */
async function lifted(runs: number): Promise<void> {
  const symbols = Array.from({ length: runs }, () => unique('BENCH'));
  const specs = symbols.flatMap((symbol, seed) => [
    '--synthetic',
    `${symbol}:${seed + 1}:2024-02-29T23:00:00Z:2024-03-02T01:00:00Z:36000`,
  ]);
  const exchange = await startExchangeProcess(['--no-weight-limit', ...specs]);
  const done: { summary: Summary; peakMb: number }[] = [];
  try {
    for (const symbol of symbols) {
      const env = cliEnv(services, exchange.url, unique('bench-'));
      const command = startCli(
        ['backfill', symbol, '--from', FROM, '--to', '2024-03-02', '--json'],
        { env, via: 'bin' },
      );
      const result = await command.done;
      done.push({ summary: summaryOf(result), peakMb: (result.peakBytes ?? 0) / 1e6 });
    }
  } finally {
    await exchange.stop();
  }
  console.log(`\nREST, limit lifted: one worker process, one day, median of ${runs} runs`);
  const of = (pick: (run: (typeof done)[number]) => number) => median(done.map(pick));
  const total = ({ work }: Summary) => work.waitMs + work.fetchMs + work.decodeMs + work.writeMs;
  const share = (part: keyof Work) =>
    `${of(({ summary }) => (100 * summary.work[part]) / total(summary)).toFixed(0)} %`;
  console.log(
    renderTable([
      {
        rows: formatInteger(of(({ summary }) => summary.work.rows)),
        'rows/s': formatInteger(
          of(({ summary }) => (summary.work.rows / summary.durationMs) * 1000),
        ),
        fetching: share('fetchMs'),
        decoding: share('decodeMs'),
        writing: share('writeMs'),
        waiting: share('waitMs'),
        'peak MB': of(({ peakMb }) => peakMb).toFixed(0),
      },
    ]),
  );
  console.log(
    'rows/s: from the first plan to the last chained level. Shares: of the time that slices spent, in parallel.',
  );
}

/** Whole minutes only: the first and the last one are cut. */
async function budget(minutes: number): Promise<void> {
  const symbol = unique('BUDGET');
  const hours = Math.ceil(((minutes + 3) * 1_600_000) / 400_000);
  const to = new Date(Date.parse(FROM) + hours * 3_600_000).toISOString();
  const exchange = await startExchangeProcess([
    '--weight-limit',
    String(WEIGHT_LIMIT),
    '--synthetic',
    `${symbol}:99:2024-02-29T23:00:00Z:2024-03-02T00:00:00Z:400000`,
  ]);
  try {
    const env = cliEnv(services, exchange.url, unique('bench-'));
    const command = startCli(
      ['backfill', symbol, '--from', FROM, '--to', to, '--weight-share', '1'],
      { env, via: 'bin' },
    );
    const firstWholeMs = Math.ceil(Date.now() / MINUTE_MS) * MINUTE_MS;
    const endMs = firstWholeMs + minutes * MINUTE_MS;
    await new Promise((resolve) => setTimeout(resolve, endMs + 1_000 - Date.now()));
    command.kill('SIGKILL');
    await command.done;
    const requests = await exchange.requests();
    console.log(
      `\nREST at --weight-share 1: ${minutes} whole minutes against a limit of ${WEIGHT_LIMIT}`,
    );
    const rows = Array.from({ length: minutes }, (_, index) => {
      const startMs = firstWholeMs + index * MINUTE_MS;
      const inMinute = requests.filter(({ atMs }) => atMs >= startMs && atMs < startMs + MINUTE_MS);
      const weight = inMinute.reduce((sum, request) => sum + request.weight, 0);
      const trades = inMinute.reduce((sum, request) => sum + request.rows, 0);
      return {
        minute: new Date(startMs).toISOString().slice(11, 16),
        weight: formatInteger(weight),
        'of the limit': `${((100 * weight) / WEIGHT_LIMIT).toFixed(1)} %`,
        '429s': inMinute.filter(({ status }) => status === 429).length,
        rows: formatInteger(trades),
        'rows/s': formatInteger(trades / 60),
      };
    });
    console.log(renderTable(rows));
  } finally {
    await exchange.stop();
  }
}

if (values.only.includes('lifted')) await lifted(Number(values.runs));
if (values.only.includes('budget')) await budget(Number(values.minutes));
