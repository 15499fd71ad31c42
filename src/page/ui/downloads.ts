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
  'delta,buy_volume,sell_volume,quote_delta,agg_trades,trades,first_id,last_id,status,level_missing,level_from,anchor,zone';

/** Bars with exact values; bars that are not stored have no line, and those before the anchor no level. */
export function csvOf({ points, levels }: Seen, anchor: string, zone: string): string {
  const edgeMs = points[0]?.timeMs ?? 0;
  const lines = points.flatMap(({ bar }, index) => {
    const level = levels[index];
    if (bar === undefined) return [];
    const { price } = bar;
    const times = [bar.timeMs, bar.endMs].map((ms) => new Date(ms).toISOString());
    const prices = [price?.open, price?.high, price?.low, price?.close];
    const levelTexts = [level?.open, level?.high, level?.low, level?.close];
    const sizes = [
      bar.delta,
      bar.buyVolume,
      bar.sellVolume,
      bar.quoteDelta,
      bar.aggTrades,
      bar.trades,
    ];
    const missing = level === undefined ? undefined : (level.levelMissing ?? 'unknown');
    const trust = [bar.firstId, bar.lastId, bar.status, missing];
    const fromMs = anchor === 'visible' ? edgeMs : bar.levelFromMs;
    const zero = [level && new Date(fromMs).toISOString(), anchor, zone];
    return [times, prices, levelTexts, sizes, trust, zero].join(',');
  });
  return `${[HEADER, ...lines].join('\n')}\n`;
}

const NOTICE = 'Charting by TradingView, tradingview.com';

interface Picture {
  /** In parts that stay in one line. */
  readonly title: readonly string[];
  readonly chart: HTMLCanvasElement;
  readonly strip: HTMLCanvasElement;
  readonly ground: string;
  readonly text: string;
}

/** The chart with a title above it and the strip of coverage below. */
export async function pictureOf({ title, chart, strip, ground, text }: Picture): Promise<Blob> {
  const ratio = window.devicePixelRatio;
  const linePx = Math.round(26 * ratio);
  const font = `${Math.round(13 * ratio)}px system-ui, sans-serif`;
  const canvas = element('canvas');
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('the browser gives no canvas to draw on');
  context.font = font;
  const lines = linesOf(
    title,
    (line) => context.measureText(line).width < chart.width - 16 * ratio,
  );
  const titlePx = lines.length * linePx;
  // A canvas whose size is set forgets its font.
  canvas.width = chart.width;
  canvas.height = titlePx + chart.height + strip.height + linePx;
  context.fillStyle = ground;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = text;
  context.font = font;
  context.textBaseline = 'middle';
  for (const [index, line] of lines.entries())
    context.fillText(line, 8 * ratio, (index + 0.5) * linePx);
  // The notice of the library, whose logo is an element of the page and not of the drawing.
  context.font = `${Math.round(11 * ratio)}px system-ui, sans-serif`;
  context.textAlign = 'right';
  context.fillText(NOTICE, canvas.width - 8 * ratio, canvas.height - linePx / 2);
  context.drawImage(chart, 0, titlePx);
  context.drawImage(strip, 0, titlePx + chart.height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) =>
      blob === null ? reject(new Error('the browser made no picture')) : resolve(blob),
    );
  });
}

/** Puts as many parts into each line as have room. */
function linesOf(parts: readonly string[], hasRoom: (line: string) => boolean): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const line = lines.length === 0 ? part : `${lines.at(-1) ?? ''} · ${part}`;
    if (lines.length > 0 && hasRoom(line)) lines.splice(-1, 1, line);
    else lines.push(part);
  }
  return lines;
}
