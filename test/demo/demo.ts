import pg from 'pg';
import { formatInteger } from '../../src/cli/print/progress-text.ts';
import { CommandFailed, createCommandLine, INTERRUPTED } from './command-line.ts';
import { differenceOf, type Facts, factsOfSeries, factsOfStore } from './own-sums.ts';
import { startSimulatedExchange } from './simulated-exchange.ts';
import { FROM, madeUpTrades, STRETCH, SYMBOL, TO } from './story.ts';

const OPENING = `cdvault demo: a simulated exchange, BullMQ on Redis, QuestDB, CDV bars.
The real exchange is not asked, and your own data are not touched: everything
lies in .cdvault/demo. Run it twice: the second time asks for no trades.`;

const QUERY = `select ts, open, high, low, close, delta, status
from cdv_1m
where symbol = '${SYMBOL}' and ts in '${FROM.slice(0, 13)}' and abs(delta) > 8
order by ts`;

const NEXT = `What next (in this folder; the demo's services are left running):
  export CDVAULT_HOME=.cdvault/demo            # the demo's data, not yours
  bin/cdvault status
  bin/cdvault show ${SYMBOL} --from ${FROM} --interval 15m
  bin/cdvault env                              # URLs with passwords
  eval "$(bin/cdvault env)"; psql "$QUESTDB_READONLY_PG_URL" \\
    -c "select * from cdv_1h_total where symbol = '${SYMBOL}'"
  bin/cdvault down                             # stops them; the data stay

The real exchange, one hour of it, into data of your own (in .cdvault):
  unset CDVAULT_HOME
  bin/cdvault backfill BTCUSDT --from 2024-01-01T10:00Z --to 2024-01-01T11:00Z
  bin/cdvault show BTCUSDT --from 2024-01-01T10:00Z --to 2024-01-01T10:05Z`;

const AFRESH = 'CDVAULT_HOME=.cdvault/demo bin/cdvault down; rm -r .cdvault/demo';

async function demo(): Promise<void> {
  console.log(OPENING);
  const series = madeUpTrades();
  step(`A simulated exchange with ${formatInteger(series.count)} made-up trades of ${SYMBOL}`);
  const exchange = await startSimulatedExchange();
  console.log(`   listening on ${exchange.url}`);
  try {
    const cdvault = createCommandLine(exchange.url);
    step('Redis and QuestDB of its own (the first time installs what is missing)');
    await cdvault.run('up');
    step('Three hours of trades: fetch, prove by id, build bars');
    await cdvault.run('backfill', SYMBOL, '--from', FROM, '--to', TO);
    step('Bars: cumulative delta volume, open high low close');
    await cdvault.run('show', SYMBOL, '--from', FROM, '--to', FROM.replace(':00Z', ':05Z'));
    await cdvault.run('show', SYMBOL, '--from', FROM, '--to', TO, '--interval', '1h');
    await queryAndProve(await cdvault.readonlyUrl(), factsOfSeries(series, STRETCH));
  } finally {
    exchange.stop();
  }
  console.log(`\n${NEXT}`);
}

async function queryAndProve(url: string, expected: Facts): Promise<void> {
  const client = new pg.Client({ connectionString: url, types: { getTypeParser: () => String } });
  await client.connect();
  try {
    step('SQL, as the read-only user');
    console.log(indented(QUERY));
    const { rows } = await client.query<Row>(QUERY);
    console.log(indented(plainTable(rows.map(shortened))));
    step('Proof: the same sums, made from the trades themselves without cdvault');
    const difference = differenceOf(expected, await factsOfStore(client, STRETCH));
    if (difference !== undefined) throw new Error(`not equal: ${difference}`);
  } finally {
    await client.end();
  }
  const { rows, firstId, lastId, delta, minutes } = expected;
  console.log(
    `   equal: ${formatInteger(rows)} trades, ids ${firstId} to ${lastId},\n` +
      `   delta ${delta}; open, high, low and close of ${minutes.length} minutes, to the digit`,
  );
}

type Row = Readonly<Record<string, string>>;

/** Times to the second and 5 decimals, as the exchange's quantities have: the columns then fit 80. */
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

// The command that runs at that moment gets the signal too, says what it does, and ends the demo.
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
      ? '\ninterrupted; run `make demo` again and it goes on'
      : `\ndemo failed: ${message}\nTo start afresh: ${AFRESH}`,
  );
}
