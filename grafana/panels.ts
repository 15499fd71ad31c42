import {
  CandlestickColorsBuilder,
  CandlestickFieldMapBuilder,
  PanelBuilder as CandlestickBuilder,
  VizDisplayMode,
} from '@grafana/grafana-foundation-sdk/candlestick';
import {
  GraphDrawStyle,
  LegendDisplayMode,
  LegendPlacement,
  SortOrder,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import type { DynamicConfigValue } from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeSeriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import type { SqlSource } from './data-source.ts';

/** Colours of taker buys and sells, of bars that are not (yet) proven, and of markets. */
export const COLORS = {
  buy: '#26a69a',
  sell: '#ef5350',
  forming: '#ff9830',
  unproven: '#fade2a',
  spot: '#5794f2',
  perpetual: '#b877d9',
} as const;

/** A panel's title, description and size: width in 24 columns, height in rows of 30 pixels. */
export interface Head {
  readonly title: string;
  readonly description: string;
  readonly height: number;
  readonly width?: number;
}

interface Headed {
  title(title: string): this;
  description(description: string): this;
  height(rows: number): this;
  span(columns: number): this;
}

export function headed<T extends Headed>(
  panel: T,
  { title, description, height, width = 24 }: Head,
): T {
  return panel.title(title).description(description).height(height).span(width);
}

const legend = new VizLegendOptionsBuilder()
  .showLegend(true)
  .displayMode(LegendDisplayMode.List)
  .placement(LegendPlacement.Bottom);
const tooltip = new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.None);

/** Lines that break where a value is NULL: nothing is drawn where the level is unknown. */
export function timeSeries(
  source: SqlSource,
  head: Head,
  sql: readonly string[],
): TimeSeriesBuilder {
  const panel = headed(new TimeSeriesBuilder(), head)
    .datasource(source.ref)
    .legend(legend)
    .tooltip(tooltip)
    .lineWidth(1)
    .spanNulls(false)
    .showPoints(VisibilityMode.Never);
  for (const [index, query] of sql.entries())
    panel.withTarget(source.query(query, 'time_series', String.fromCharCode(65 + index)));
  return panel;
}

export function bars(source: SqlSource, head: Head, sql: string): TimeSeriesBuilder {
  return timeSeries(source, head, [sql])
    .drawStyle(GraphDrawStyle.Bars)
    .lineWidth(0)
    .fillOpacity(90);
}

/** Candles from open, high, low, close. Bars that are forming or unproven have a marker at their close. */
export function candles(source: SqlSource, head: Head, sql: string): CandlestickBuilder {
  return headed(new CandlestickBuilder(), head)
    .datasource(source.ref)
    .withTarget(source.query(sql, 'time_series'))
    .mode(VizDisplayMode.Candles)
    .fields(new CandlestickFieldMapBuilder().open('open').high('high').low('low').close('close'))
    .colors(new CandlestickColorsBuilder().up(COLORS.buy).down(COLORS.sell).flat('gray'))
    .includeAllFields(true)
    .legend(legend)
    .tooltip(tooltip)
    .spanNulls(false)
    .overrideByName('forming', marker(COLORS.forming))
    .overrideByName('unproven', marker(COLORS.unproven));
}

export function table(source: SqlSource, head: Head, sql: string): TableBuilder {
  return headed(new TableBuilder(), head)
    .datasource(source.ref)
    .withTarget(source.query(sql, 'table'))
    .noValue('none');
}

export function color(fixedColor: string): DynamicConfigValue {
  return { id: 'color', value: { mode: 'fixed', fixedColor } };
}

function marker(fixedColor: string): DynamicConfigValue[] {
  return [
    color(fixedColor),
    { id: 'custom.drawStyle', value: GraphDrawStyle.Points },
    { id: 'custom.pointSize', value: 8 },
  ];
}
