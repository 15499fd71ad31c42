import { type Command, Option } from 'commander';
import { type Anchor, showBars } from '../../app/show-bars.ts';
import { CdvaultError } from '../../domain/errors.ts';
import { EXIT, type ExitCode } from '../../domain/exit-codes.ts';
import { DAY_MS, floorTo } from '../../domain/hour.ts';
import { INTERVAL_MS, INTERVALS, type Interval } from '../../domain/interval.ts';
import { assertStored, parseSeries, print, say, withApp } from '../session.ts';
import { renderOhlc } from '../table.ts';
import { isoMinute, parseInstant, resolveRange } from '../times.ts';
import { jsonOption, type RangeOptions, withRange } from './options.ts';

interface ShowOptions extends RangeOptions {
  readonly interval: Interval;
  readonly anchor: string;
}

export function registerShow(program: Command, finish: (exitCode: ExitCode) => void): void {
  withRange(program.command('show'), 'the end of the day of --from (with --last: now)')
    .argument('<symbol>', 'BTCUSDT, btcusdt or BTC/USDT')
    .summary('print CDV bars')
    .description('Prints the OHLC of cumulative delta volume from the store.')
    .addOption(
      new Option('--interval <interval>', 'length of a bar').choices(INTERVALS).default('1m'),
    )
    .option(
      '--anchor <where>',
      'where the level is 0: from (before the first bar shown), day (UTC midnight), total (the first day ever asked for) or a time',
      'from',
    )
    .addOption(jsonOption())
    .action(async (symbol: string, options: ShowOptions) => {
      const [series] = parseSeries([symbol], options.market);
      const range = resolveRange(withEndOfDay(options), Date.now());
      const anchor = parseAnchor(options.anchor);
      if (series === undefined) throw new CdvaultError('USAGE', 'no symbol given');
      finish(
        await withApp({}, async ({ app }) => {
          const { interval } = options;
          await assertStored(app, series);
          const bars = await showBars(
            app,
            series,
            { interval, range: range.asked, anchor },
            app.clock.nowMs(),
          );
          if (options.json === true) for (const bar of bars) print(JSON.stringify(bar));
          else {
            say(
              `${series.symbol} ${interval} CDV, ${isoMinute(range.asked.startMs)} to ${isoMinute(range.asked.endMs)} UTC, ${anchorWords(anchor)}`,
            );
            print(
              renderOhlc(bars, {
                expected: { range: range.asked, intervalMs: INTERVAL_MS[interval] },
              }),
            );
          }
          return EXIT.ok;
        }),
      );
    });
}

function withEndOfDay(options: ShowOptions): ShowOptions {
  if (options.to !== undefined || options.from === undefined) return options;
  const nowMs = Date.now();
  const { startMs } = resolveRange({ from: options.from, to: 'now' }, nowMs).asked;
  const endMs = floorTo(startMs, DAY_MS) + DAY_MS;
  return endMs > nowMs ? options : { ...options, to: new Date(endMs).toISOString() };
}

function parseAnchor(text: string): Anchor {
  if (text === 'from' || text === 'day' || text === 'total') return text;
  return { atMs: parseInstant('--anchor', text) };
}

function anchorWords(anchor: Anchor): string {
  if (anchor === 'from') return 'from 0 before the first bar';
  if (anchor === 'day') return 'from 0 at each UTC midnight';
  return anchor === 'total'
    ? 'from 0 at the series’ origin'
    : `from 0 at ${isoMinute(anchor.atMs)}`;
}
