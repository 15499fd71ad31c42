/** Footnotes of bars: what is not final, not exact or absent. */

import { isoMinute } from './format.ts';

/** The fields of a bar that a table or a plot of CDV needs; levels are decimal text of scale 8. */
export interface OhlcRow {
  readonly openMs: number;
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  readonly delta: string;
  readonly status: 'final' | 'partial' | 'forming';
  readonly levelFromMs: number;
  /** undefined when the number of missing ids is unknown. */
  readonly levelMissing: number | undefined;
}

export interface OhlcOptions {
  /** Starts of the requested bars, epoch ms; a footnote counts those that are absent. */
  readonly expected?: readonly number[];
  /** The anchor of a bar's level, epoch ms; a footnote names levels that count from later than that. */
  readonly anchorOf?: (openMs: number) => number;
}

/** The most stretches of inexact levels that are listed; the rest is counted. */
const STRETCHES = 5;

/** None when every bar is present, final and exact. */
export function ohlcFootnotes(
  bars: readonly OhlcRow[],
  { expected, anchorOf }: OhlcOptions,
): string[] {
  const notes = [
    statusNote(bars, 'partial', 'not all trades of the bar are proven'),
    statusNote(bars, 'forming', 'the bar has not ended yet'),
    ...startNotes(bars, anchorOf),
    ...levelNotes(bars),
    deltaNote(bars),
    absentNote(bars, expected),
  ];
  return notes.filter((note) => note !== undefined).map((note) => `* ${note}`);
}

function statusNote(
  bars: readonly OhlcRow[],
  status: OhlcRow['status'],
  meaning: string,
): string | undefined {
  const count = bars.filter((bar) => bar.status === status).length;
  return count === 0 ? undefined : `${count} ${status}: ${meaning}`;
}

/** One note for each start of levels that is later than their anchor. */
function startNotes(bars: readonly OhlcRow[], anchorOf: OhlcOptions['anchorOf']): string[] {
  if (anchorOf === undefined) return [];
  const late = bars.filter(({ openMs, levelFromMs }) => levelFromMs > anchorOf(openMs));
  const notes = [...Map.groupBy(late, ({ levelFromMs }) => levelFromMs)].map(
    ([levelFromMs, [first]]) =>
      `levels from ${isoMinute(first?.openMs ?? levelFromMs)} on count from ${isoMinute(levelFromMs)}: ` +
      `the hours from ${isoMinute(anchorOf(first?.openMs ?? levelFromMs))} to then are not stored`,
  );
  const left = notes.length - STRETCHES;
  return [
    ...notes.slice(0, STRETCHES),
    ...(left > 0 ? [`${left} more starts are later than their anchor; --json lists them`] : []),
  ];
}

/** One note for each stretch of bars whose levels are not exact; bars with exact levels end a stretch. */
function levelNotes(bars: readonly OhlcRow[]): string[] {
  const stretches: { readonly bars: OhlcRow[]; untilMs: number | undefined }[] = [];
  let open: (typeof stretches)[number] | undefined;
  for (const bar of bars) {
    if (bar.levelMissing === 0) {
      if (open !== undefined) open.untilMs = bar.openMs;
      open = undefined;
    } else if (open === undefined) stretches.push((open = { bars: [bar], untilMs: undefined }));
    else open.bars.push(bar);
  }
  const left = stretches.length - STRETCHES;
  return [
    ...stretches
      .slice(0, STRETCHES)
      .map(({ bars: inexact, untilMs }) => levelNote(inexact, untilMs)),
    ...(left > 0 ? [`levels of ${left} more stretches are not exact; --json lists them`] : []),
  ];
}

/** @param untilMs start of the next bar whose level is exact */
function levelNote(inexact: readonly OhlcRow[], untilMs: number | undefined): string {
  const starts = new Set(inexact.map(({ levelFromMs }) => levelFromMs));
  const counts = inexact
    .map(({ levelMissing }) => levelMissing)
    .filter((count) => count !== undefined);
  const missing =
    counts.length < inexact.length
      ? 'an unknown number of trades may be missing'
      : `up to ${Math.max(...counts).toLocaleString('en-US')} trades are missing`;
  const [fromMs = 0] = inexact.map(({ openMs }) => openMs);
  const [levelFromMs = 0] = starts;
  const until = untilMs === undefined ? 'on' : `to ${isoMinute(untilMs)}`;
  const since = starts.size === 1 ? isoMinute(levelFromMs) : 'their anchors';
  return `levels from ${isoMinute(fromMs)} ${until} are not exact: ${missing} since ${since}`;
}

/** An inexact level does not make a bar's own delta inexact: the unknown deltas lie before the bar. */
function deltaNote(bars: readonly OhlcRow[]): string | undefined {
  const areUsable = bars.some(
    ({ levelMissing, status }) => levelMissing !== 0 && status === 'final',
  );
  return areUsable ? 'the delta of every final bar is exact' : undefined;
}

function absentNote(
  bars: readonly OhlcRow[],
  expected: OhlcOptions['expected'],
): string | undefined {
  if (expected === undefined) return undefined;
  const present = new Set(bars.map(({ openMs }) => openMs));
  const missing = expected.filter((startMs) => !present.has(startMs));
  const [firstMs] = missing;
  if (firstMs === undefined) return undefined;
  const absent = missing.length;
  const bar = absent === 1 ? 'bar is' : 'bars are';
  return `${absent.toLocaleString('en-US')} ${bar} absent, the first at ${isoMinute(firstMs)}: not fetched, so unknown (not empty)`;
}
