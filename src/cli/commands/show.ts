import { type Command, Option } from 'commander';
import { timeZones } from '../../adapters/system/time-zones.ts';
import { showBars, type ShownBars } from '../../app/bars/show-bars.ts';
import type { Anchor } from '../../domain/bars/anchor.ts';
import { parseAnchor } from '../../domain/bars/parse-anchor.ts';
import { parseBarLength } from '../../domain/bars/bar-grid.ts';
import { type BarsPlan, planBars } from '../../domain/bars/bar-plan.ts';
import { CdvaultError } from '../../domain/errors.ts';
import { EXIT, type ExitCode } from '../../domain/exit-codes.ts';
import { DAY_MS, floorTo } from '../../domain/time/hour.ts';
import { INTERVALS } from '../../domain/time/interval.ts';
import { ANCHOR_HELP, anchorWords } from '../input/anchor-option.ts';
import { assertStored, parseSeries, print, say, withApp } from '../session.ts';
import { csvLines, jsonLine } from '../print/bar-lines.ts';
import { ohlcFootnotes, type OhlcOptions } from '../print/bar-notes.ts';
import { COLUMN_GROUPS, type ColumnGroup, renderBars } from '../print/bar-table.ts';
import { renderPlot } from '../print/plot.ts';
import { resolveShown } from '../input/times.ts';
import { jsonOption, type RangeOptions, withRange } from '../input/options.ts';
import { isoMinute } from '../print/format.ts';

interface ShowOptions extends RangeOptions {
  readonly interval: string;
  readonly anchor: string;
  readonly open: 'first' | 'previous';
  readonly columns: readonly ColumnGroup[];
  readonly csv?: true;
  readonly plot?: true;
}

export function registerShow(program: Command, finish: (exitCode: ExitCode) => void): void {
  withForms(
    withRange(program.command('show'), 'end of the day of --from; with --last: now')
      .argument('<symbol>', 'BTCUSDT, btcusdt or BTC/USDT')
      .summary('print CDV bars')
      .description(
        'Prints OHLC bars of cumulative delta volume from the store; on request with price and ' +
          'volume, as CSV or JSON with every exact value, or as a picture.',
      )
      .option(
        '--interval <length>',
        `bar length: ${INTERVALS.join(', ')}, or a multiple such as 2h, 3d, 1w`,
        '1m',
      )
      .option('--anchor <where>', 'where the level starts at 0; see below', 'from')
      .addOption(
        new Option(
          '--open <where>',
          'open of a bar: level after its first trade, or the previous close',
        )
          .choices(['first', 'previous'])
          .default('first'),
      ),
  )
    .action(async (symbol: string, options: ShowOptions) => finish(await show(symbol, options)))
    .addHelpText('after', ANCHOR_HELP);
}

/** What the bars are printed as: one of a table, a plot, CSV and JSON. */
function withForms(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--columns <groups>',
        `columns of the table: ${COLUMN_GROUPS.join(', ')}, or several of them, as cdv,price`,
      )
        .argParser(parseColumns)
        .default(['cdv'], 'cdv')
        .conflicts(['csv', 'json', 'plot']),
    )
    .addOption(new Option('--plot', 'draw price and CDV in 80 columns').conflicts(['csv', 'json']))
    .addOption(
      new Option('--csv', 'print all columns as CSV; notes go to standard error').conflicts('json'),
    )
    .addOption(jsonOption());
}

async function show(symbol: string, options: ShowOptions): Promise<ExitCode> {
  const [series] = parseSeries([symbol], options.market);
  const range = resolveShown(options, Date.now());
  const lengthMs = parseBarLength(options.interval);
  const anchor = parseAnchor(options.anchor, timeZones.has);
  if (series === undefined) throw new CdvaultError('USAGE', 'no symbol given');
  const request = { lengthMs, range: range.asked, anchor, open: options.open };
  // Rejects what does not fit before a service is started.
  const plan = planBars(request, timeZones.clockTime);
  return withApp({}, async ({ app }) => {
    await assertStored(app, series);
    const shown = await showBars(app, series, request, app.clock.nowMs());
    if (options.json !== true && options.csv !== true) {
      const { startMs, endMs } = range.asked;
      say(`${series.symbol} ${options.interval} CDV, ${isoMinute(startMs)} to ${isoMinute(endMs)}`);
      say(`levels: ${anchorWords(anchor)}`);
    }
    printBars(shown, options, { plan, anchorOf: anchorOf(anchor, plan) });
    return EXIT.ok;
  });
}

/** @throws CdvaultError USAGE */
function parseColumns(text: string): ColumnGroup[] {
  const names = text.split(',').map((name) => name.trim());
  const groups = COLUMN_GROUPS.filter((group) => names.includes(group));
  if (groups.length > 0 && new Set(names).size === groups.length) return groups;
  throw new CdvaultError('USAGE', `--columns ${JSON.stringify(text)} is not a list of columns`, {
    advice: `Write one or several of ${COLUMN_GROUPS.join(', ')}, with commas between them.`,
  });
}

function printBars(
  { bars, starts }: ShownBars,
  { json, csv, plot, columns }: ShowOptions,
  { plan, anchorOf }: { readonly plan: BarsPlan } & Pick<Required<OhlcOptions>, 'anchorOf'>,
): void {
  const notes = { expected: starts, anchorOf };
  const width = process.stdout.columns ?? 80;
  if (json === true) for (const bar of bars) print(jsonLine(bar));
  else if (csv === true) {
    for (const line of csvLines(bars)) print(line);
    for (const note of ohlcFootnotes(bars, notes)) say(note);
  } else if (plot === true) {
    const slots = starts.map((openMs) => ({ openMs, endMs: plan.grid.endOf(openMs) }));
    print([renderPlot(bars, { slots, width }), ...ohlcFootnotes(bars, notes)].join('\n'));
  } else print(renderBars(bars, { groups: columns, width: Math.max(80, width) }, notes));
}

/** Where the level of a bar is meant to start. That of `total` is the origin of the series. */
function anchorOf(anchor: Anchor, plan: BarsPlan): (openMs: number) => number {
  if (anchor.kind === 'total') return () => Infinity;
  return anchor.kind === 'day' ? (openMs) => floorTo(openMs, DAY_MS) : plan.levelStartOf;
}
