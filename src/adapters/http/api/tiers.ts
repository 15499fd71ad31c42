import { z } from 'zod';
import { tradesContracts } from '../../../domain/market.ts';
import type { ShownTierBar } from '../../../ports/chart-data.ts';
import { BAR_PARAMETERS, barsRequestOf, continued, linkOf, tagOf } from './bars.ts';
import { chosenColumns, columnsOf } from './columns.ts';
import { type Endpoint, endpoint, someColumns, tableJson } from './endpoint.ts';

const { time, decimal, count, text } = columnsOf<ShownTierBar>();

const COLUMNS = {
  time: time('Start of the bar.', (bar) => bar.openMs),
  end: time('End of the bar, exclusive.', (bar) => bar.endMs),
  tier: count('Lower bound of the trades’ value in quote currency.', (bar) => bar.tier),
  open: decimal('CDV of the tier where the bar opens, see `open`.', (bar) => bar.open),
  high: decimal('Highest CDV of the tier.', (bar) => bar.high),
  low: decimal('Lowest CDV of the tier.', (bar) => bar.low),
  close: decimal('CDV of the tier after its last trade.', (bar) => bar.close),
  delta: decimal('Volume bought less volume sold by takers.', (bar) => bar.delta),
  buyVolume: decimal('Volume bought by takers, in `unit`.', (bar) => bar.buyVolume),
  sellVolume: decimal('Volume sold by takers, in `unit`.', (bar) => bar.sellVolume),
  aggTrades: count('Aggregate trades.', (bar) => bar.aggTrades),
  trades: count('Trades.', (bar) => bar.trades),
  status: text('`final`, `partial` or `forming`.', (bar) => bar.status),
  levelFrom: time('From where the level counts.', (bar) => bar.levelFromMs),
  levelMissing: count(
    'Ids of all sizes missing from there to the end of the last hour of the bar; null where that is unknown.',
    (bar) => bar.levelMissing,
  ),
};

const PARAMETERS = z.object({
  ...BAR_PARAMETERS,
  tier: z
    .string()
    .regex(/^(?:0|[1-9]\d{0,14})$/)
    .optional()
    .describe('The only tier to give, by its lower bound; default: all.'),
});

export const TIERS: Endpoint = endpoint({
  path: '/tiers',
  summary: 'Bars of CDV of trades of one size apart',
  parameters: PARAMETERS,
  answer: someColumns(COLUMNS, {
    interval: z.string(),
    anchor: z.string(),
    open: z.enum(['first', 'previous']),
    unit: z.enum(['base', 'contracts']),
    tiers: z.array(z.int()).describe('The lower bounds that there are.'),
  }),
  async ask({ tier, ...given }, { data, zones, clock, version }) {
    const { series, request, style } = barsRequestOf(given, { zones, clock });
    const names = chosenColumns(COLUMNS, given.columns);
    const question = data.tiers(series, request, tier === undefined ? undefined : Number(tier));
    const sql = given.sql === 'true' ? question.sql() : undefined;
    const tag = await question.tag();
    return {
      tag: tagOf(version, tag),
      async body() {
        const { bars, tiers, next } = await question.read();
        const only = tier === undefined ? {} : { tier };
        return tableJson({
          series,
          range: request.range,
          style,
          sql,
          columns: COLUMNS,
          names,
          rows: bars,
          next: next && linkOf('/tiers', { ...given, ...only, ...continued(next) }),
          more: {
            interval: JSON.stringify(given.interval),
            anchor: JSON.stringify(given.anchor),
            open: JSON.stringify(given.open),
            unit: tradesContracts(series.market) ? '"contracts"' : '"base"',
            tiers: JSON.stringify(tiers),
          },
        });
      },
    };
  },
});
