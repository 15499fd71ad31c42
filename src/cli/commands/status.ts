import type { Command } from 'commander';
import { EXIT, type ExitCode } from '../../domain/exit-codes.ts';
import { marketName } from '../../domain/market.ts';
import type { SeriesCoverage } from '../../ports/ledger.ts';
import type { App } from '../compose.ts';
import { formatInteger } from '../progress-text.ts';
import { print, withApp } from '../session.ts';
import { renderTable } from '../table.ts';
import { isoMinute } from '../times.ts';
import { jsonOption } from './options.ts';

export function registerStatus(program: Command, finish: (exitCode: ExitCode) => void): void {
  program
    .command('status')
    .summary('what is stored and proven, what is queued, how the exchange is used')
    .description(
      'Exit code 3 when something stored is not proven, 7 when a table is suspended.\n"unknown" counts hours between the first and the last that nobody fetched.',
    )
    .addOption(jsonOption())
    .action(async (options: { json?: boolean }) => {
      finish(
        await withApp({}, async ({ app }) => {
          const facts = await gather(app);
          if (options.json === true) print(JSON.stringify({ type: 'status', ...facts }));
          else for (const line of describe(facts)) print(line);
          if (facts.suspended.length > 0) return EXIT.fatal;
          return facts.coverage.every(isWhole) ? EXIT.ok : EXIT.gaps;
        }),
      );
    });
}

async function gather(app: App) {
  const [coverage, queues, governor, suspended, series] = await Promise.all([
    app.ledger.overview(),
    app.queue.counts(),
    app.governor.state('binance_spot'),
    app.sql.query('SELECT name FROM wal_tables() WHERE suspended'),
    app.catalogue.all(),
  ]);
  const scheduled = series.filter(({ scheduledFromMs }) => scheduledFromMs !== undefined);
  return {
    coverage,
    queues,
    governor,
    suspended: suspended.map(({ name }) => name ?? ''),
    scheduled,
  };
}

type Facts = Awaited<ReturnType<typeof gather>>;

function isWhole({ gap, open, unknown }: SeriesCoverage): boolean {
  return gap + open + unknown === 0;
}

function describe({ coverage, queues, governor, suspended, scheduled }: Facts): string[] {
  const lines = [
    coverage.length === 0 ? 'nothing is stored yet' : renderTable(coverage.map(coverageRow)),
  ];
  const busy = queues.filter(
    ({ waiting, active, delayed, failed }) => waiting + active + delayed + failed > 0,
  );
  lines.push(
    busy.length === 0 ? 'queue: empty' : renderTable(busy.map((counts) => ({ ...counts }))),
  );
  const { usedWeight, weightLimit, pause } = governor;
  if (weightLimit > 0)
    lines.push(
      `exchange: weight ${formatInteger(usedWeight)} of ${formatInteger(weightLimit)} used in this window`,
    );
  if (pause !== undefined)
    lines.push(`exchange: ${pause.reason} until ${isoMinute(pause.untilMs)}`);
  for (const { symbol, scheduledFromMs } of scheduled)
    lines.push(`scheduled: ${symbol} from ${isoMinute(scheduledFromMs ?? 0)} on`);
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
