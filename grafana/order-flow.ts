import {
  AnnotationQueryBuilder,
  type Dashboard,
  FieldColorBuilder,
  FieldColorModeId,
} from '@grafana/grafana-foundation-sdk/dashboard';
import {
  AxisPlacement,
  BigValueGraphMode,
  ReduceDataOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { BAR_COUNTS, barsSql, TIERS } from './bars-sql.ts';
import type { PanelBuilder as TimeSeriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { dashboard, type Part } from './dashboard.ts';
import type { SqlSource } from './data-source.ts';
import { bars, candles, color, COLORS, headed, timeSeries } from './panels.ts';
import { FROM, TO } from './time-range.ts';
import { barChoices, derivedVariables, marketAndSymbol } from './variables.ts';

const CDV = `open - zero AS open, high - zero AS high, low - zero AS low, close - zero AS close,
  CASE WHEN state = 2 THEN close - zero END AS forming, CASE WHEN state = 1 THEN close - zero END AS unproven`;

const PRICE = `price_open AS open, price_high AS high, price_low AS low, price_close AS close,
  CASE WHEN state = 2 THEN price_close END AS forming, CASE WHEN state = 1 THEN price_close END AS unproven`;

const DELTA = `CASE WHEN state = 0 AND delta >= 0 THEN delta END AS buying,
  CASE WHEN state = 0 AND delta < 0 THEN delta END AS selling,
  CASE WHEN state = 2 THEN delta END AS forming, CASE WHEN state = 1 THEN delta END AS unproven`;

/** Sell volumes are negative in SQL, so that tooltips show the same values as the drawn bars. */
const VOLUME = `CASE WHEN state = 0 THEN buy_volume END AS buy, CASE WHEN state = 0 THEN -sell_volume END AS sell,
  CASE WHEN state = 2 THEN buy_volume END AS "forming buy", CASE WHEN state = 2 THEN -sell_volume END AS "forming sell",
  CASE WHEN state = 1 THEN buy_volume END AS "unproven buy", CASE WHEN state = 1 THEN -sell_volume END AS "unproven sell"`;

/** Hours that overlap the range; with `timeend` they are drawn as bands. */
const TOUCHED = `market = '$market' AND symbol = '$symbol' AND ts > dateadd('h', -1, ${FROM}) AND ts <= ${TO}`;
const BAND = "ts AS time, dateadd('h', 1, ts) AS timeend";

const HALTS = `SELECT ${BAND}, evidence AS text, class AS tags
FROM gaps
WHERE ${TOUCHED} AND class = 'halt' AND resolved_at IS NULL
ORDER BY ts`;

/**
 * Recorded hours that are not proven, hours that no source can provide at present, and hours between that
 * were never fetched.
 */
const GAPS = `SELECT time, timeend, text, tags
FROM (
  SELECT ${BAND}, concat(verdict, ': ', coalesce(missing::string, 'an unknown number of'), ' ids missing') AS text, verdict AS tags
  FROM coverage
  WHERE ${TOUCHED} AND verdict <> 'proven'
  UNION ALL
  SELECT ${BAND}, concat(class, ': ', evidence) AS text, class AS tags
  FROM gaps
  WHERE ${TOUCHED} AND class IN ('retention', 'pending_archive', 'truncated_file') AND resolved_at IS NULL
  UNION ALL
  SELECT ${BAND}, 'absent: not in the ledger' AS text, 'absent' AS tags
  FROM (SELECT ts, count() rows FROM slices WHERE ${TOUCHED} SAMPLE BY 1h FILL(0) ALIGN TO CALENDAR)
  WHERE rows = 0
)
ORDER BY time`;

export function orderFlow(source: SqlSource): Dashboard {
  return dashboard({
    uid: 'cdvault-order-flow',
    title: 'Order flow',
    description: 'Price and CDV of one symbol, computed from every trade of the exchange.',
    time: { from: 'now-24h', to: 'now' },
    refresh: '5m',
    variables: [...marketAndSymbol(source), ...barChoices(), ...derivedVariables(source)],
    annotations: [
      annotation(source, 'Gaps', GAPS, 'red'),
      annotation(source, 'Halts', HALTS, 'purple'),
    ],
    panels: [
      barCounts(source),
      price(source),
      spotAndPerpetual(source),
      cdv(source),
      delta(source),
      volume(source),
      tiers(source),
    ],
  });
}

function annotation(
  source: SqlSource,
  name: string,
  sql: string,
  iconColor: string,
): AnnotationQueryBuilder {
  return new AnnotationQueryBuilder()
    .name(name)
    .datasource(source.ref)
    .enable(true)
    .iconColor(iconColor)
    .target(source.query(sql, 'table'));
}

function barCounts(source: SqlSource): Part {
  const head = {
    title: 'Bars of $step in this range',
    description:
      'Unproven: trades of the bar may be missing. Forming: the bar has not ended. Absent: unknown, drawn as a break in the line; counted between the first and the last bar.',
    height: 3,
  };
  return headed(new StatBuilder(), head)
    .datasource(source.ref)
    .withTarget(source.query(BAR_COUNTS, 'table'))
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .graphMode(BigValueGraphMode.None)
    .overrideByName('unproven', [color(COLORS.unproven)])
    .overrideByName('forming', [color(COLORS.forming)])
    .overrideByName('absent', [color('purple')]);
}

function price(source: SqlSource): Part {
  const description = 'Bars without trades have no candle.';
  return candles(source, { title: 'Price, $step', description, height: 10 }, barsSql(PRICE));
}

function spotAndPerpetual(source: SqlSource): Part {
  const head = {
    title: 'CDV of $symbol, spot and perpetual, $step',
    description:
      'Both in the base asset and from the same anchor. Each has its own axis: spot on the left, perpetual on the right. A market that is not stored has no line.',
    height: 8,
  };
  return timeSeries(source, head, [
    barsSql('close - zero AS spot', "'binance_spot'"),
    barsSql('close - zero AS perpetual', "'binance_um'"),
  ])
    .overrideByName('spot', [color(COLORS.spot)])
    .overrideByName('perpetual', [
      color(COLORS.perpetual),
      // Perpetuals have several times the volume of spot: on the same axis the spot line would be flat.
      { id: 'custom.axisPlacement', value: AxisPlacement.Right },
    ]);
}

function cdv(source: SqlSource): Part {
  const description =
    'A bar’s open is the level after its first trade. After a gap the level continues from the last known one, without the trades in the gap.';
  return candles(source, { title: 'CDV, $step', description, height: 10 }, barsSql(CDV));
}

function delta(source: SqlSource): Part {
  const description = 'Taker buy volume minus taker sell volume of each bar.';
  return coloured(bars(source, { title: 'Delta, $step', description, height: 7 }, barsSql(DELTA)), {
    buying: COLORS.buy,
    selling: COLORS.sell,
    forming: COLORS.forming,
    unproven: COLORS.unproven,
  });
}

function volume(source: SqlSource): Part {
  const description = 'By the taker’s side: buys above the axis, sells below it.';
  return coloured(
    bars(source, { title: 'Buy and sell volume, $step', description, height: 7 }, barsSql(VOLUME)),
    {
      buy: COLORS.buy,
      sell: COLORS.sell,
      'forming buy': COLORS.forming,
      'forming sell': COLORS.forming,
      'unproven buy': COLORS.unproven,
      'unproven sell': COLORS.unproven,
    },
  );
}

function tiers(source: SqlSource): Part {
  const head = {
    title: 'CDV by trade size, $step',
    description:
      'By the value of a trade in quote currency: each line has the trades from its bound up to the next one. The lines add up to the CDV of all trades.',
    height: 9,
  };
  return timeSeries(source, head, [TIERS]).colorScheme(
    new FieldColorBuilder().mode(FieldColorModeId.PaletteClassic),
  );
}

function coloured(panel: TimeSeriesBuilder, colors: Readonly<Record<string, string>>): Part {
  for (const [field, fixed] of Object.entries(colors)) panel.overrideByName(field, [color(fixed)]);
  return panel;
}
