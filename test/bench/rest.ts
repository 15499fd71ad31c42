import { cliEnv, startCli, unique } from '../support/command-line.ts';
import { startExchangeProcess } from '../support/exchange-process.ts';
import { type Backfill, backfillDays, commandSample } from './backfill.ts';
import { type Line, type Measurement, median, repeat } from './measurement.ts';
import { freshStore, startHost } from './place.ts';
import { formatInteger } from '../../src/cli/print/format.ts';

const FROM = '2024-03-01T00:00:00Z';
const MINUTE_MS = 60_000;
const MINUTES = 3;
const WEIGHT_LIMIT = 6_000;
const TRADES_AN_HOUR = 400_000;
/** The most that the limit allows: a page of 1,000 trades has weight 4. */
const TRADES_A_MINUTE = (WEIGHT_LIMIT / 4) * 1_000;

export const rest: Measurement = {
  name: 'rest',
  about:
    'The same day, page by page from the simulated exchange, without a weight limit and with replies within ' +
    'milliseconds (the real exchange takes 100 to 200). *Command*: the note has the shares of each kind of work in the ' +
    `time of all hours, which run in parallel. *Whole budget*: ${MINUTES} whole minutes at \`--weight-share 1\` against ` +
    `the real limit of ${formatInteger(WEIGHT_LIMIT)} a minute; minimum and maximum are over these minutes.`,
  async run({ runs, say }) {
    return [await withoutLimit(runs, say), await wholeBudget()];
  },
};

async function withoutLimit(runs: number, say: (line: string) => void): Promise<Line> {
  await using host = await startHost(say);
  const done = await repeat(runs, async () => {
    await using store = await freshStore();
    return await backfillDays({ store, host }, { first: 0, days: 1, source: 'rest' });
  });
  return {
    what: 'REST day, no limit: command',
    unit: 's',
    samples: done.map(commandSample),
    note: sharesOf(done),
  };
}

function sharesOf(done: readonly Backfill[]): string {
  const share = (part: keyof Backfill['work']) => {
    const shares = done.map(({ work }) => {
      const { waitMs, fetchMs, decodeMs, writeMs } = work;
      return (100 * work[part]) / (waitMs + fetchMs + decodeMs + writeMs);
    });
    return `${median(shares).toFixed(0)} %`;
  };
  return `fetching ${share('fetchMs')}, decoding ${share('decodeMs')}, writing ${share('writeMs')}, waiting ${share('waitMs')}`;
}

/** Counts whole minutes only: the first and the last minute of the run are incomplete. */
async function wholeBudget(): Promise<Line> {
  await using store = await freshStore();
  const symbol = unique('BUDGET');
  const hours = Math.ceil(((MINUTES + 3) * TRADES_A_MINUTE) / TRADES_AN_HOUR);
  const to = new Date(Date.parse(FROM) + hours * 3_600_000).toISOString();
  const exchange = await startExchangeProcess([
    '--weight-limit',
    String(WEIGHT_LIMIT),
    '--synthetic',
    `${symbol}:99:2024-02-29T23:00:00Z:2024-03-03T00:00:00Z:${TRADES_AN_HOUR}`,
  ]);
  try {
    const env = cliEnv(store.urls, exchange.url, 'bench');
    const range = ['--from', FROM, '--to', to, '--source', 'rest', '--weight-share', '1'];
    const command = startCli(['backfill', symbol, ...range], { env, via: 'bin' });
    const firstMs = Math.ceil(Date.now() / MINUTE_MS) * MINUTE_MS;
    const endMs = firstMs + MINUTES * MINUTE_MS;
    await new Promise((resolve) => setTimeout(resolve, endMs + 1_000 - Date.now()));
    command.kill('SIGKILL');
    await command.done;
    const inTime = (await exchange.requests()).filter(
      ({ atMs }) => atMs >= firstMs && atMs < endMs,
    );
    const minutes = Array.from({ length: MINUTES }, (_, minute) =>
      inTime.filter(({ atMs }) => Math.floor((atMs - firstMs) / MINUTE_MS) === minute),
    );
    const total = (of: (request: (typeof inTime)[number]) => number, among = inTime) =>
      among.reduce((sum, request) => sum + of(request), 0);
    const refused = inTime.filter(({ status }) => status === 429).length;
    const tradesASecond = total(({ rows }) => rows) / ((MINUTES * MINUTE_MS) / 1_000);
    return {
      what: 'REST, whole budget: of the limit used',
      unit: '%',
      samples: minutes.map((requests) => ({
        value: (100 * total(({ weight }) => weight, requests)) / WEIGHT_LIMIT,
      })),
      note: `${formatInteger(Math.round(tradesASecond))} rows/s, ${refused} refusals; one run of ${MINUTES} minutes`,
    };
  } finally {
    await exchange.stop();
  }
}
