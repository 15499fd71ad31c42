import pg from 'pg';
import { CommandFailed, type CommandLine, createCommandLine, INTERRUPTED } from './command-line.ts';
import { differenceOf, type Facts, factsOfSeries, factsOfStore } from './own-sums.ts';
import { startSimulatedExchange } from './simulated-exchange.ts';
import { allEqual, CHECK, DAY, FROM, madeUpTrades, STRETCH, SYMBOL, TO } from './story.ts';
import { formatInteger } from '../../src/cli/print/format.ts';

const OPENING = `cdvault demo: from trades to bars of CDV (cumulative delta volume)

This starts a simulated exchange, Redis and QuestDB on your machine, fetches
a day of trades, builds the bars, checks them against the trades, and serves a
page with their chart. It does not contact the real exchange and does not touch
your data: everything it writes is in .cdvault/demo. Run it a second time, and
it fetches no trades: every hour is already proven.`;

const QUERY = `select ts, open, high, low, close, delta, status
from cdv_1m
where symbol = '${SYMBOL}' and ts in '${DAY}' and abs(delta) > 6
order by ts`;

const NEXT = `Done. Redis and QuestDB are still running, so that you can look around.
Run these commands in this folder:
  export CDVAULT_HOME=.cdvault/demo            # use the demo's data
  bin/cdvault status
  bin/cdvault show ${SYMBOL} --from ${DAY} --interval 1h --plot
  bin/cdvault env                              # URLs of the services, with passwords
  (eval "$(bin/cdvault env)"; psql "$QUESTDB_READONLY_PG_URL" -c "
    select ts, open, high, low, close, delta from cdv_1h where symbol = '${SYMBOL}'")
  bin/cdvault down                             # stop all of this; data is kept

To fetch one hour from the real exchange into your own data, in .cdvault:
  unset CDVAULT_HOME
  bin/cdvault backfill BTCUSDT --from 2024-01-01T10:00Z --to 2024-01-01T11:00Z
  bin/cdvault show BTCUSDT --from 2024-01-01T10:00Z --to 2024-01-01T10:05Z`;

const IN_DEMO = 'CDVAULT_HOME=.cdvault/demo';
const START_OVER = `${IN_DEMO} bin/cdvault down; rm -r .cdvault/demo`;

const lookAt = (link: string): string => `The chart of the day, for a browser on this machine:

  ${link}

The link works once, within ten minutes. For another one, and to stop the page:
  ${IN_DEMO} bin/cdvault chart ${SYMBOL} --from ${DAY}
  ${IN_DEMO} bin/cdvault down`;

/** A build machine keeps no server that nobody looks at. */
const SERVES = process.env['CI'] === undefined;

async function demo(): Promise<void> {
  console.log(OPENING);
  const series = madeUpTrades();
  step(`Start a simulated exchange with ${formatInteger(series.count)} made-up ${SYMBOL} trades`);
  const exchange = await startSimulatedExchange();
  console.log(`   listening on ${exchange.url}`);
  const cdvault = createCommandLine(exchange.url);
  try {
    step('Start Redis and QuestDB for the demo (the first run installs what is missing)');
    await cdvault.run('up');
    step('Backfill a day: fetch trades, prove that none is missing, build bars');
    const day = ['--from', FROM, '--to', TO];
    // The simulated exchange has no files.
    await cdvault.run('backfill', SYMBOL, ...day, '--source', 'rest');
    step('Show the bars: open, high, low and close of CDV, by minute and by four hours');
    await cdvault.run('show', SYMBOL, '--from', FROM, '--to', FROM.replace(':00Z', ':05Z'));
    await cdvault.run('show', SYMBOL, ...day, '--interval', '4h');
    await queryAndProve(await cdvault.readonlyUrl(), factsOfSeries(series, STRETCH));
  } finally {
    exchange.stop();
  }
  const link = SERVES ? await serve(cdvault) : undefined;
  console.log(`\n${NEXT}`);
  if (link !== undefined) console.log(`\n${lookAt(link)}`);
}

async function serve(cdvault: CommandLine): Promise<string> {
  step('Serve the chart page, on a free port of this machine, in the background');
  await cdvault.run('serve', '--background', '--port', '0');
  return cdvault.answer('chart', SYMBOL, '--from', DAY);
}

async function queryAndProve(url: string, expected: Facts): Promise<void> {
  const client = new pg.Client({ connectionString: url, types: { getTypeParser: () => String } });
  await client.connect();
  try {
    step('Query the bars with SQL, as the read-only user');
    console.log(indented(QUERY));
    const { rows } = await client.query<Row>(QUERY);
    console.log(indented(plainTable(rows.map(shortened))));
    step(CHECK);
    const difference = differenceOf(expected, await factsOfStore(client, STRETCH));
    if (difference !== undefined) throw new Error(`the numbers differ: ${difference}`);
  } finally {
    await client.end();
  }
  console.log(allEqual(expected));
}

type Row = Readonly<Record<string, string>>;

/** Times to the second, and 5 decimals as the exchange's quantities have: the table then fits 80 columns. */
function shortened(row: Row): Row {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      if (name === 'ts') return [name, value.slice(0, 19)];
      return [name, /^-?\d+\.\d+$/.test(value) ? Number(value).toFixed(5) : value];
    }),
  );
}

function plainTable(rows: readonly Row[]): string {
  const titles = Object.keys(rows[0] ?? {});
  const lines = [titles, ...rows.map((row) => titles.map((title) => row[title] ?? ''))];
  const widths = titles.map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  return lines
    .map((line) => line.map((cell, column) => cell.padStart(widths[column] ?? 0)).join('  '))
    .join('\n');
}

let steps = 0;

function step(title: string): void {
  steps += 1;
  console.log(`\n${steps}. ${title}`);
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, '   ');
}

// Ctrl-C also reaches the running command, which says what it does; its exit code ends the demo.
process.on('SIGINT', () => undefined);
process.once('SIGTERM', () => process.exit(143));
process.once('SIGHUP', () => process.exit(129));

try {
  await demo();
} catch (error) {
  process.exitCode = error instanceof CommandFailed ? error.exitCode : 1;
  const message = error instanceof Error ? error.message : String(error);
  console.error(
    process.exitCode === INTERRUPTED
      ? '\nInterrupted. Run `make demo` again to continue.'
      : `\nThe demo failed: ${message}\nTo start over: ${START_OVER}`,
  );
}
