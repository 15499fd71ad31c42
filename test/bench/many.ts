import { compose } from '../../src/cli/compose.ts';
import { formatInteger } from '../../src/cli/print/format.ts';
import { loadConfig } from '../../src/config.ts';
import { DAY_MS, dayName, FIRST_DAY_MS } from './day-files.ts';
import { stoppedBytes } from './disk.ts';
import {
  type DayRange,
  type MadeSeries,
  madeSeries,
  prepareManyFiles,
  TRADES_A_DAY,
} from './many-files.ts';
import {
  type BenchOptions,
  cpuOf,
  type Line,
  type Measurement,
  type Sample,
  shareOf,
  sumOf,
} from './measurement.ts';
import { cdvault, freshStore, openStore, type Store } from './place.ts';
import { whileWatching } from './process-meter.ts';
import { barsOfStoredDay } from './stored-bars.ts';

/** The store of `many`, which `one-more` adds to. */
const STORE = 'many';
/** The first and the last tenth have at least this many symbol-days, else the command's start is all they show. */
const LEAST_SYMBOL_DAYS = 20;
/** A busy series of these days is fetched first, because Java has compiled nothing after the start of QuestDB. */
const WARM_UP: DayRange = { first: -5, days: 5 };

interface Filled {
  readonly busy: Sample;
  /** Of all thin series. */
  readonly thin: Sample;
  readonly firstTenth: Sample;
  readonly lastTenth: Sample;
  readonly tenthSymbolDays: number;
  /** By all commands, and what all tables take afterwards. */
  readonly writtenBytes: number;
  readonly storedBytes: number;
}

let filled: Filled | undefined;

export const many: Measurement = {
  name: 'many',
  about:
    'Made-up series of a month from daily files in a folder by `backfill --source dir:`: busy ones of ' +
    `${formatInteger(TRADES_A_DAY.busy)} trades a day and thin ones of ${formatInteger(TRADES_A_DAY.thin)}. Four ` +
    'commands: a tenth of the thin series, into an almost empty store; all busy series; the other thin series; the ' +
    'last tenth of the thin series. Wall-clock time and CPU seconds are those of the commands, divided by the number ' +
    'of symbol-days. *Written*: what QuestDB sent to the disk in all commands, divided by what all its tables ' +
    'take on the disk afterwards; both with five days of one busy series that are stored before, to warm QuestDB up.',
  async run(options) {
    const { busy, thin, days } = options.size;
    filled = await fill(options);
    const { firstTenth, lastTenth, tenthSymbolDays, writtenBytes, storedBytes } = filled;
    const whole = sumOf([filled.busy, filled.thin]);
    const inAll = `${busy} busy and ${thin} thin series, ${days} days`;
    return [
      each('many: a thin symbol-day', filled.thin, thin * days, inAll),
      each('many: a thin symbol-day, first tenth', firstTenth, tenthSymbolDays),
      each('many: a thin symbol-day, last tenth', lastTenth, tenthSymbolDays),
      ...(busy === 0 ? [] : [each('many: a busy symbol-day', filled.busy, busy * days)]),
      { what: 'many: in all', unit: 's', samples: [whole], note: inAll },
      {
        what: 'many: written / stored',
        unit: 'times',
        samples: [{ value: writtenBytes / storedBytes }],
        note: `${gigabytes(writtenBytes)} written, ${gigabytes(storedBytes)} stored`,
      },
    ];
  },
};

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(2)} GB`;
}

function each(what: string, sample: Sample, symbolDays: number, note?: string): Line {
  const one = shareOf(sample, symbolDays);
  const cpu = `${cpuOf(one).toFixed(3)} CPU seconds of all; ${symbolDays} symbol-days`;
  return {
    what,
    unit: 's',
    samples: [one],
    note: note === undefined ? cpu : `${cpu}: ${note}`,
  };
}

async function fill({ size, say }: BenchOptions): Promise<Filled> {
  const { busy, thin, days } = size;
  const range = { first: 0, days };
  const [busySeries, thinSeries] = [madeSeries('busy', busy), madeSeries('thin', thin)];
  const folder = await prepareManyFiles([...busySeries, ...thinSeries], range, say);
  const tenth = Math.min(
    Math.floor(thin / 2),
    Math.max(Math.round(thin / 10), Math.ceil(LEAST_SYMBOL_DAYS / days)),
  );
  const store = await freshStore(STORE);
  const warmed = await warmUp(store, 0, say);
  const add = async (what: string, series: readonly MadeSeries[]): Promise<Sample> => {
    if (series.length === 0) return { value: 0 };
    say(`many: ${what}, ${series.length} series`);
    const sample = await backfillMade(store, folder, series, range);
    say(`many: ${sample.value.toFixed(1)} s, ${cpuOf(sample).toFixed(1)} CPU seconds`);
    return sample;
  };
  const firstTenth = await add('the first thin series', thinSeries.slice(0, tenth));
  const busySample = await add('all busy series', busySeries);
  const middle = await add('more thin series', thinSeries.slice(tenth, thin - tenth));
  const lastTenth = await add('the last thin series', thinSeries.slice(thin - tenth));
  const all = [warmed, firstTenth, busySample, middle, lastTenth];
  const bytesOf = await stoppedBytes(store);
  return {
    busy: busySample,
    thin: sumOf([firstTenth, middle, lastTenth]),
    firstTenth,
    lastTenth,
    tenthSymbolDays: tenth * days,
    writtenBytes: sumOf(all).uses?.['QuestDB']?.writtenBytes ?? 0,
    storedBytes: bytesOf(() => true),
  };
}

/** @param number the number of the series: another one after each start of the same store */
async function warmUp(store: Store, number: number, say: BenchOptions['say']): Promise<Sample> {
  const series = madeSeries('busy', 1, 900 + number);
  const folder = await prepareManyFiles(series, WARM_UP, say);
  return await backfillMade(store, folder, series, WARM_UP);
}

/** Fetches made-up series from their files by one command. */
export async function backfillMade(
  store: Store,
  folder: string,
  series: readonly MadeSeries[],
  { first, days }: DayRange,
): Promise<Sample> {
  const symbols = series.map(({ symbol }) => symbol);
  const range = ['--from', dayName(first), '--to', dayName(first + days)];
  const { wallS, uses } = await cdvault(
    ['backfill', ...symbols, ...range, '--source', `dir:${folder}`, '--json'],
    { store },
  );
  return { value: wallS, uses };
}

export const oneMore: Measurement = {
  name: 'one-more',
  about:
    'A month of one more series, thin or busy, from its files: added to the store of *many* (which is filled first, ' +
    'where *many* was not measured), and into an almost empty store. *Bars*: the bars of the same days, computed and ' +
    'written again (`BarStore.build`); the note has the CPU seconds of the command without them, which are those of ' +
    'the trades.',
  async run(options) {
    filled ??= await fill(options);
    const lines: Line[] = [];
    {
      await using store = await openStore(STORE);
      await warmUp(store, 1, options.say);
      lines.push(...(await addOne(store, 'to many', options)));
    }
    filled = undefined;
    await using store = await freshStore();
    await warmUp(store, 1, options.say);
    return [...lines, ...(await addOne(store, 'to an empty store', options))];
  },
};

async function addOne(store: Store, where: string, { size, say }: BenchOptions): Promise<Line[]> {
  const range = { first: 0, days: size.days };
  const lines: Line[] = [];
  for (const kind of ['thin', 'busy'] as const) {
    const series = madeSeries(kind, 1, 800);
    const folder = await prepareManyFiles(series, range, say);
    say(`one more: a ${kind} series ${where}`);
    const whole = await backfillMade(store, folder, series, range);
    const bars = await buildBars(store, series, size.days);
    const tradesCpu = (cpuOf(whole) - cpuOf(bars)) / size.days;
    const what = `one more, ${where}: a ${kind} symbol-day`;
    lines.push(
      each(what, whole, size.days, `trades ${tradesCpu.toFixed(3)}`),
      each(`${what}, its bars`, bars, size.days),
    );
  }
  return lines;
}

async function buildBars(
  store: Store,
  series: readonly MadeSeries[],
  days: number,
): Promise<Sample> {
  const app = compose(loadConfig(), store.urls);
  try {
    const { wallS, uses } = await whileWatching(
      { client: process.pid, ...store.pids },
      async () => {
        for (const { symbol } of series)
          for (let index = 0; index < days; index += 1) {
            const dayMs = FIRST_DAY_MS + index * DAY_MS;
            const write = await barsOfStoredDay(app, { market: 'binance_spot', symbol, dayMs });
            await write();
          }
      },
    );
    return { value: wallS, uses };
  } finally {
    await app.close();
  }
}
