import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Command, Option } from 'commander';
import { timeZones } from '../../adapters/system/time-zones.ts';
import type { Anchor } from '../../domain/bars/anchor.ts';
import { planBars } from '../../domain/bars/bar-plan.ts';
import { parseAnchor } from '../../domain/bars/parse-anchor.ts';
import { CdvaultError } from '../../domain/errors.ts';
import { EXIT, type ExitCode } from '../../domain/exit-codes.ts';
import { marketName, type Series } from '../../domain/market.ts';
import { MINUTE_MS, type TimeRange, widenToHours } from '../../domain/time/hour.ts';
import { CHART_INTERVAL_MS, CHART_INTERVALS } from '../../page/intervals.ts';
import { loginUrl } from '../../adapters/http/login-url.ts';
import { type FileView, fileIntervals, MOST_FILE_BARS } from '../../page/data/file-questions.ts';
import { DEFAULT_VIEW, viewQuery } from '../../page/view.ts';
import type { App } from '../compose.ts';
import { ANCHOR_HELP } from '../input/anchor-option.ts';
import { type RangeOptions, withRange } from '../input/options.ts';
import { resolveShown } from '../input/times.ts';
import { chartFile } from '../print/chart-file.ts';
import { assertWritable, writeOutput } from '../print/output-file.ts';
import { assertStored, parseSeries, print, say, withApp } from '../session.ts';

interface ChartOptions extends RangeOptions {
  readonly interval: FileView['interval'];
  readonly anchor: string;
  readonly open: FileView['open'];
  readonly zone: string;
  readonly out?: string;
}

/** Shows the whole page, as a browser on a laptop does. */
const PICTURE = { widthPx: 1280, heightPx: 800 };

export function registerChart(program: Command, finish: (exitCode: ExitCode) => void): void {
  withRange(program.command('chart'), 'end of the day of --from; with --last: now')
    .argument('<symbol>', 'BTCUSDT, btcusdt or BTC/USDT')
    .summary('open, or write to a file, a chart of price, CDV and delta')
    .description(
      'Prints a link that opens the chart in the running cdvault serve; it works once, within ten ' +
        'minutes. With --out, writes the chart to a file instead: chart.html opens from disk and ' +
        'needs no server, chart.png is a picture that an installed Chromium or Chrome takes.',
    )
    .addOption(
      new Option('--interval <length>', 'bar length; auto suits the width of the chart')
        .choices(['auto', ...CHART_INTERVALS])
        .default('auto'),
    )
    .option('--anchor <where>', 'where the level starts at 0; see below', 'day')
    .addOption(
      new Option(
        '--open <where>',
        'open of a bar: level after its first trade, or the previous close',
      )
        .choices(['first', 'previous'])
        .default('first'),
    )
    .option('--zone <name>', 'time zone of the axis, such as America/New_York', 'UTC')
    .option('--out <file>', 'write chart.html or chart.png instead of printing a link')
    .action(async (symbol: string, options: ChartOptions) => finish(await chart(symbol, options)))
    .addHelpText('after', ANCHOR_HELP);
}

async function chart(symbol: string, options: ChartOptions): Promise<ExitCode> {
  const { out, anchor, zone } = options;
  const [series] = parseSeries([symbol], options.market);
  if (series === undefined) throw new CdvaultError('USAGE', 'no symbol given');
  const { startMs, endMs } = resolveShown(options, Date.now()).asked;
  const range = { startMs, endMs };
  const lengthMs = options.interval === 'auto' ? MINUTE_MS : CHART_INTERVAL_MS[options.interval];
  // Rejects what does not fit before a service is started.
  const parsed = parseAnchor(anchor, timeZones.has);
  planBars({ lengthMs, range: countedPart(range, parsed), anchor: parsed }, timeZones.clockTime);
  if (!timeZones.has(zone)) {
    throw new CdvaultError('USAGE', `unknown time zone ${JSON.stringify(zone)}`, {
      advice: 'Use a name from the IANA database: America/New_York, Europe/London, Asia/Tokyo.',
    });
  }
  const kind = out === undefined ? 'link' : kindOf(out);
  if (out !== undefined) await assertWritable(out);
  const view: FileView = {
    ...DEFAULT_VIEW,
    series: { market: marketName(series.market), symbol: series.symbol },
    range: { fromMs: startMs, toMs: endMs },
    interval: options.interval,
    // Where the range begins is where the picture begins.
    anchor: anchor === 'from' ? 'visible' : anchor,
    open: options.open,
    zone,
  };
  if (kind !== 'link') assertHolds(view);
  return withApp({}, async ({ app, signal }) => {
    await assertStored(app, series);
    await noteEmptiness(app, series, range);
    if (kind === 'link' || out === undefined) print(await linkTo(app, view));
    else {
      await write(app, { view, kind, out, signal });
      say(`chart: ${out}`);
    }
    return EXIT.ok;
  });
}

/** Before an instant that is in the range, the chart has prices and volumes only. */
function countedPart(range: TimeRange, anchor: Anchor): TimeRange {
  if (anchor.kind !== 'instant' || anchor.atMs >= range.endMs) return range;
  return { ...range, startMs: Math.max(range.startMs, anchor.atMs) };
}

/** @throws CdvaultError USAGE */
function assertHolds(view: FileView): void {
  if (fileIntervals(view).length > 0) return;
  throw new CdvaultError(
    'USAGE',
    `no interval that fits the anchor has 1 to ${MOST_FILE_BARS} bars in the range`,
    {
      advice:
        'Choose another range, or an anchor at a full hour, where bars of more intervals begin.',
    },
  );
}

/** Says so when no hour of the range is stored: the chart is then empty. */
async function noteEmptiness({ ledger }: App, series: Series, range: TimeRange): Promise<void> {
  const { proven, open, gap } = await ledger.totals(series, widenToHours(range));
  if (proven + open + gap === 0)
    say(`chart: no hour of the range is stored; run cdvault backfill ${series.symbol} to fetch it`);
}

type Kind = 'html' | 'png';

/** @throws CdvaultError USAGE */
function kindOf(file: string): Kind {
  const suffix = path.extname(file).toLowerCase();
  if (suffix === '.html' || suffix === '.htm') return 'html';
  if (suffix === '.png') return 'png';
  throw new CdvaultError(
    'USAGE',
    `--out ${JSON.stringify(file)} ends neither in .html nor in .png`,
    {
      advice: 'Name the file chart.html for a page, or chart.png for a picture.',
    },
  );
}

async function linkTo({ serveAddress, loginLinks }: App, view: FileView): Promise<string> {
  const serve = await serveAddress.find();
  if (serve === undefined)
    throw new CdvaultError('SERVE_NOT_RUNNING', 'no cdvault serve of this installation is running');
  if (!(await answers(serve.own)))
    say(`chart: ${serve.own} does not answer here; if serve was stopped, start it again`);
  return loginUrl(serve.url, await loginLinks.create(), `/?${viewQuery(view)}`);
}

/** The address of a killed serve is found for a minute; one on another machine may not be reached from here. */
async function answers(url: string): Promise<boolean> {
  try {
    await fetch(new URL('/healthz', url), { signal: AbortSignal.timeout(2_000) });
    return true;
  } catch {
    return false;
  }
}

async function write(
  app: App,
  {
    view,
    kind,
    out,
    signal,
  }: {
    readonly view: FileView;
    readonly kind: Kind;
    readonly out: string;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const html = await chartFile(app, view, kind === 'png');
  if (kind === 'html') return writeOutput(out, html);
  const { takePicture } = await import('../../adapters/system/browser.ts');
  const folder = await mkdtemp(path.join(tmpdir(), 'cdvault-chart-'));
  try {
    const page = path.join(folder, 'chart.html');
    await writeOutput(page, html);
    // The browser does not say when it can't write.
    const picture = path.join(folder, 'chart.png');
    await takePicture(page, picture, PICTURE, signal);
    await writeOutput(out, await readFile(picture));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
