/** Files of what is seen. */

import type { Seen } from '../drawing.ts';
import { element } from './element.ts';

export function download(name: string, content: Blob): void {
  const href = URL.createObjectURL(content);
  element('a', { href, download: name }).click();
  // The browser has taken the content when the click returns; a moment more does no harm.
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}

const HEADER =
  'time,end,price_open,price_high,price_low,price_close,cdv_open,cdv_high,cdv_low,cdv_close,' +
  'delta,buy_volume,sell_volume,agg_trades,trades,first_id,last_id,status,level_missing,level_from,anchor,zone';

/** Bars with exact values; bars that are not stored have no line. */
export function csvOf({ points, levels }: Seen, anchor: string, zone: string): string {
  const edgeMs = points[0]?.timeMs ?? 0;
  const lines = points.flatMap(({ bar }, index) => {
    const level = levels[index];
    if (bar === undefined || level === undefined) return [];
    const { price } = bar;
    const times = [bar.timeMs, bar.endMs].map((ms) => new Date(ms).toISOString());
    const prices = [price?.open, price?.high, price?.low, price?.close];
    const levelTexts = [level.open, level.high, level.low, level.close];
    const sizes = [bar.delta, bar.buyVolume, bar.sellVolume, bar.aggTrades, bar.trades];
    const trust = [bar.firstId, bar.lastId, bar.status, level.levelMissing ?? 'unknown'];
    const fromMs = anchor === 'visible' ? edgeMs : bar.levelFromMs;
    const zero = [new Date(fromMs).toISOString(), anchor, zone];
    return [times, prices, levelTexts, sizes, trust, zero].join(',');
  });
  return `${[HEADER, ...lines].join('\n')}\n`;
}

const NOTICE = 'Charting by TradingView, tradingview.com';

interface Picture {
  readonly title: string;
  readonly chart: HTMLCanvasElement;
  readonly strip: HTMLCanvasElement;
  readonly ground: string;
  readonly text: string;
}

/** The chart with a title above it and the strip of coverage below. */
export async function pictureOf({ title, chart, strip, ground, text }: Picture): Promise<Blob> {
  const ratio = window.devicePixelRatio;
  const titlePx = Math.round(26 * ratio);
  const canvas = element('canvas');
  canvas.width = chart.width;
  canvas.height = 2 * titlePx + chart.height + strip.height;
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('the browser gives no canvas to draw on');
  context.fillStyle = ground;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = text;
  context.font = `${Math.round(13 * ratio)}px system-ui, sans-serif`;
  context.textBaseline = 'middle';
  context.fillText(title, 8 * ratio, titlePx / 2);
  // The notice of the library, whose logo is an element of the page and not of the drawing.
  context.font = `${Math.round(11 * ratio)}px system-ui, sans-serif`;
  context.textAlign = 'right';
  context.fillText(NOTICE, canvas.width - 8 * ratio, 1.5 * titlePx + chart.height + strip.height);
  context.drawImage(chart, 0, titlePx);
  context.drawImage(strip, 0, titlePx + chart.height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) =>
      blob === null ? reject(new Error('the browser made no picture')) : resolve(blob),
    );
  });
}
