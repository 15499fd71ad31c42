import { ColorType, type DeepPartial, type ChartOptionsImpl, type Time } from 'lightweight-charts';
import { type Palette, translucent } from './palette.ts';

export const PANES = { price: 0, cdv: 1, delta: 2 } as const;

export function chartOptions(palette: Palette): DeepPartial<ChartOptionsImpl<Time>> {
  return {
    layout: {
      background: { type: ColorType.Solid, color: palette.ground },
      textColor: palette.muted,
      fontFamily: 'system-ui, sans-serif',
      fontSize: 11,
      // The library's licence asks for its notice and link; this is both.
      attributionLogo: true,
      panes: {
        separatorColor: palette.line,
        separatorHoverColor: translucent(palette.accent, 0.3),
      },
    },
    grid: { vertLines: { color: palette.grid }, horzLines: { color: palette.grid } },
    rightPriceScale: { borderColor: palette.line, minimumWidth: 64 },
  };
}

export function seriesOptions(palette: Palette) {
  return {
    candles: {
      upColor: palette.up,
      downColor: palette.down,
      borderUpColor: palette.up,
      borderDownColor: palette.down,
      wickUpColor: palette.up,
      wickDownColor: palette.down,
      priceLineVisible: false,
    },
    columns: { priceLineVisible: false, lastValueVisible: false },
  };
}
