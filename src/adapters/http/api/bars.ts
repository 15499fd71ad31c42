import { hash } from 'node:crypto';
import { z } from 'zod';
import { parseAnchor } from '../../../domain/bars/parse-anchor.ts';
import { parseBarLength } from '../../../domain/bars/bar-grid.ts';
import { tradesContracts } from '../../../domain/market.ts';
import { INTERVALS } from '../../../domain/time/interval.ts';
import type { ShownBar, ShownFields, ShowRequest } from '../../../ports/chart-data.ts';
import { CHOSEN, chosenColumns, columnsOf, ColumnsWriter, TIME, timeJson } from './columns.ts';
import { type ApiDeps, type Endpoint, endpoint, someColumns, writtenJson } from './endpoint.ts';
import { RANGE_PARAMETERS, rangeOf, seriesOf, styleOf } from './parameters.ts';

const { time, decimal, count, text } = columnsOf<ShownFields>();

const COLUMNS = {
  time: time('Start of the bar.', (bar) => bar.openMs),
  end: time('End of the bar, exclusive.', (bar) => bar.endMs),
  open: decimal('CDV where the bar opens, see `open`.', (bar) => bar.open),
  high: decimal('Highest CDV.', (bar) => bar.high),
  low: decimal('Lowest CDV.', (bar) => bar.low),
  close: decimal('CDV after the last trade.', (bar) => bar.close),
  delta: decimal('Volume bought less volume sold by takers.', (bar) => bar.delta),
  buyVolume: decimal('Volume bought by takers, in `unit`.', (bar) => bar.buyVolume),
  sellVolume: decimal('Volume sold by takers, in `unit`.', (bar) => bar.sellVolume),
  quoteDelta: decimal('Delta in quote currency.', (bar) => bar.quoteDelta),
  quoteVolume: decimal('Volume in quote currency.', (bar) => bar.quoteVolume),
  aggTrades: count('Aggregate trades.', (bar) => bar.aggTrades),
  trades: count('Trades.', (bar) => bar.trades),
  priceOpen: decimal('Price of the first trade.', (bar) => bar.priceOpen),
  priceHigh: decimal('Highest price.', (bar) => bar.priceHigh),
  priceLow: decimal('Lowest price.', (bar) => bar.priceLow),
  priceClose: decimal('Price of the last trade.', (bar) => bar.priceClose),
  firstId: count('Lowest id of an aggregate trade.', (bar) => bar.firstId),
  lastId: count('Highest id of an aggregate trade.', (bar) => bar.lastId),
  status: text('`final`, `partial` or `forming`.', (bar) => bar.status),
  levelFrom: time('From where the level counts.', (bar) => bar.levelFromMs),
  levelMissing: count(
    'Ids missing from there to the end of the last hour of the bar; null where that is unknown.',
    (bar) => bar.levelMissing,
  ),
};

/** The field that a column is made from. */
function fieldOf(name: keyof typeof COLUMNS): keyof ShownBar {
  if (name === 'time') return 'openMs';
  if (name === 'end') return 'endMs';
  return name === 'levelFrom' ? 'levelFromMs' : name;
}

export const BAR_PARAMETERS = {
  ...RANGE_PARAMETERS,
  interval: z
    .string()
    .default('1m')
    .describe(`Length of a bar: ${INTERVALS.join(', ')}, or a multiple such as 2h, 3d, 1w.`),
  anchor: z
    .string()
    .default('day')
    .describe(
      'Where the level is 0: `from`, `day`, `week`, `month`, `total`, `session:09:30@America/New_York`, `rolling:24` or an instant.',
    ),
  open: z
    .enum(['first', 'previous'])
    .default('first')
    .describe('Where a bar opens: after its `first` trade, or where the `previous` one closed.'),
  columns: CHOSEN,
};

const SPANS = z.strictObject({ from: z.array(TIME), to: z.array(TIME) });

export const BARS: Endpoint = endpoint({
  path: '/bars',
  summary: 'Bars of CDV, price and volume',
  parameters: z.object(BAR_PARAMETERS),
  answer: someColumns(COLUMNS, {
    interval: z.string(),
    anchor: z.string(),
    open: z.enum(['first', 'previous']),
    unit: z.enum(['base', 'contracts']).describe('What levels, delta and volumes count.'),
    missing: SPANS.describe('Spans of requested bars that are not stored.'),
  }),
  async ask(given, { data, zones, clock, version }) {
    const { series, request, style } = barsRequestOf(given, { zones, clock });
    const { interval, anchor, open } = given;
    const { range } = request;
    const names = chosenColumns(COLUMNS, given.columns);
    const question = data.bars(series, request);
    const sql = given.sql === 'true' ? question.sql() : undefined;
    const tag = await question.tag();
    return {
      tag: tagOf(version, tag),
      async body() {
        const written = new ColumnsWriter(COLUMNS, style, names);
        const { missing, next } = await question.read(names.map(fieldOf), (bar) =>
          written.add(bar),
        );
        const times = (all: readonly number[]) =>
          `[${all.map((timeMs) => timeJson(timeMs, style)).join(',')}]`;
        const from = times(missing.map(({ startMs }) => startMs));
        const to = times(missing.map(({ endMs }) => endMs));
        const facts = {
          series,
          range,
          style,
          sql,
          next: next === undefined ? undefined : linkOf('/bars', { ...given, ...continued(next) }),
          more: {
            interval: JSON.stringify(interval),
            anchor: JSON.stringify(anchor),
            open: JSON.stringify(open),
            unit: tradesContracts(series.market) ? '"contracts"' : '"base"',
            missing: `{"from":${from},"to":${to}}`,
          },
        };
        return writtenJson(facts, written);
      },
    };
  },
});

/** @throws CdvaultError USAGE, BAD_TIME, BAD_RANGE */
export function barsRequestOf(
  given: z.output<z.ZodObject<typeof BAR_PARAMETERS>>,
  { zones, clock }: Pick<ApiDeps, 'zones' | 'clock'>,
) {
  const request: ShowRequest = {
    range: rangeOf(given, clock.nowMs()),
    open: given.open,
    lengthMs: parseBarLength(given.interval),
    anchor: parseAnchor(given.anchor, zones.has, 'anchor'),
  };
  return { series: seriesOf(given), request, style: styleOf(given) };
}

/** null: the answer has no tag. */
export function tagOf(version: string, tag: string | undefined): string | null {
  return tag === undefined ? null : hash('sha256', `${version} ${tag}`, 'base64url');
}

export function continued({
  startMs,
  anchorMs,
}: {
  readonly startMs: number;
  readonly anchorMs: number | undefined;
}) {
  return {
    from: new Date(startMs).toISOString(),
    ...(anchorMs !== undefined && { anchor: new Date(anchorMs).toISOString() }),
  };
}

export function linkOf(
  path: string,
  parameters: Readonly<Record<string, string | undefined>>,
): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters))
    if (value !== undefined) query.set(name, value);
  return `/api/v1${path}?${query.toString()}`;
}
