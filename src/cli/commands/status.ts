import type { Command } from 'commander';
import { suspendedTables } from '../../adapters/questdb/sql.ts';
import { EXIT, type ExitCode } from '../../domain/exit-codes.ts';
import { type Market, marketName, MARKETS } from '../../domain/market.ts';
import type { SeriesCoverage } from '../../ports/ledger.ts';
import type { App } from '../compose.ts';
import { print, withApp } from '../session.ts';
import { renderTable } from '../print/table.ts';
import { jsonOption } from '../input/options.ts';
import { formatInteger, isoMinute } from '../print/format.ts';

export function registerStatus(program: Command, finish: (exitCode: ExitCode) => void): void {
  program
    .command('status')
    .summary('show stored hours, queues and use of the exchange’s limit')
    .description(
      'Shows for each series how many hours are proven, open, a gap or unknown, then the queues, ' +
        'the use of the exchange’s weight limit, and scheduled series. Unknown are the hours ' +
        'between the first and the last that were never fetched.',
    )
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExit codes:\n' +
        '  0  everything stored is proven\n' +
        '  3  something is not proven, or the hourly job of the schedule is missing\n' +
        '  7  a table is suspended\n',
    )
    .action(async (options: { json?: boolean }) => {
      finish(
        await withApp({}, async ({ app }) => {
          const facts = await gather(app);
          if (options.json === true) print(JSON.stringify({ type: 'status', ...facts }));
          else for (const line of describe(facts)) print(line);
          if (facts.suspended.length > 0) return EXIT.fatal;
          return facts.coverage.every(isWhole) && !facts.tickLost ? EXIT.ok : EXIT.gaps;
        }),
      );
    });
}

async function gather(app: App) {
  const [coverage, queues, usage, suspended, series, hasTick] = await Promise.all([
    app.ledger.overview(),
    app.queue.counts(),
    Promise.all(MARKETS.map((market) => usageOf(app, market))),
    suspendedTables(app.sql),
    app.catalogue.all(),
    app.queue.hasTick(),
  ]);
  const scheduled = series.filter(({ scheduledFromMs }) => scheduledFromMs !== undefined);
  return {
    coverage,
    queues,
    exchange: usage.filter(({ weightLimit, pause }) => weightLimit > 0 || pause !== undefined),
    suspended,
    scheduled,
    tickLost: scheduled.length > 0 && !hasTick,
  };
}

async function usageOf({ governor }: App, market: Market) {
  return { market, ...(await governor.state(market)) };
}

type Facts = Awaited<ReturnType<typeof gather>>;

function isWhole({ gap, open, unknown }: SeriesCoverage): boolean {
  return gap + open + unknown === 0;
}

function describe({ coverage, queues, exchange, suspended, scheduled, tickLost }: Facts): string[] {
  const lines = [
    coverage.length === 0 ? 'nothing is stored yet' : renderTable(coverage.map(coverageRow)),
  ];
  const busy = queues.filter(
    ({ waiting, active, delayed, failed }) => waiting + active + delayed + failed > 0,
  );
  lines.push(
    busy.length === 0 ? 'queue: empty' : renderTable(busy.map((counts) => ({ ...counts }))),
  );
  for (const { market, usedWeight, weightLimit, pause } of exchange) {
    const name = `exchange ${marketName(market)}`;
    const used = `${formatInteger(usedWeight)} of ${formatInteger(weightLimit)}`;
    if (weightLimit > 0) lines.push(`${name}: weight ${used} used in this window`);
    if (pause !== undefined)
      lines.push(`${name}: ${pause.reason} until ${isoMinute(pause.untilMs)}`);
  }
  for (const { market, symbol, scheduledFromMs } of scheduled)
    lines.push(
      `scheduled: ${symbol} (${marketName(market)}) from ${isoMinute(scheduledFromMs ?? 0)} on`,
    );
  if (tickLost)
    lines.push(
      'SCHEDULE LOST: the hourly job is not queued; a running worker (cdvault worker) restores it within five minutes',
    );
  for (const table of suspended)
    lines.push(`SUSPENDED: ${table}; run ALTER TABLE ${table} RESUME WAL`);
  return lines;
}

function coverageRow(row: SeriesCoverage): Record<string, string> {
  return {
    symbol: row.symbol,
    market: marketName(row.market),
    from: isoMinute(row.startMs),
    to: isoMinute(row.endMs),
    proven: formatInteger(row.proven),
    open: formatInteger(row.open),
    gap: formatInteger(row.gap),
    unknown: formatInteger(row.unknown),
    rows: formatInteger(row.rows),
  };
}
