/** What the page shows. It lives in the query string of the page's address, so that a link shows the same. */

import { type ChartInterval, CHART_INTERVALS } from './intervals.ts';
import { utcTime } from './time/utc-time.ts';
import { MARKET_NAMES, type MarketName } from '../domain/market.ts';

export interface SeriesName {
  readonly market: MarketName;
  readonly symbol: string;
}

export interface View {
  /** undefined: the first stored series. */
  readonly series: SeriesName | undefined;
  readonly interval: ChartInterval | 'auto';
  /** `visible`: 0 at the left edge of the picture. Anything else is an anchor of the API. */
  readonly anchor: string;
  readonly open: 'first' | 'previous';
  /** `local`, or a name of the IANA database. */
  readonly zone: string;
  /** undefined: the last day that is stored. */
  readonly range: VisibleRange | undefined;
  /** Series whose CDV is drawn beside that of the shown one. */
  readonly overlays: readonly SeriesName[];
  /** Lower bounds of the tiers whose CDV is drawn. */
  readonly tiers: readonly string[];
  /** Whether overlays have a scale of their own. */
  readonly ownScale: boolean;
  readonly profile: boolean;
  readonly footprint: boolean;
  /** `auto`, or the height of a cell of the footprint in prices, as decimal text. */
  readonly bin: string;
}

export interface VisibleRange {
  readonly fromMs: number;
  readonly toMs: number;
}

export const DEFAULT_VIEW: View = {
  series: undefined,
  interval: 'auto',
  anchor: 'day',
  open: 'first',
  zone: 'UTC',
  range: undefined,
  overlays: [],
  tiers: [],
  ownScale: true,
  profile: false,
  footprint: true,
  bin: 'auto',
};

export function seriesText({ market, symbol }: SeriesName): string {
  return `${market}:${symbol}`;
}

export function parseSeries(text: string): SeriesName | undefined {
  const [, market = '', symbol] = /^(\w+):(\S+)$/.exec(text) ?? [];
  return symbol === undefined || !isMarketName(market) ? undefined : { market, symbol };
}

/** Leaves out what has its default value. */
export function viewQuery(view: View): string {
  const query = new URLSearchParams();
  if (view.series !== undefined) {
    query.set('market', view.series.market);
    query.set('symbol', view.series.symbol);
  }
  for (const name of ['interval', 'anchor', 'open', 'zone', 'bin'] as const)
    if (view[name] !== DEFAULT_VIEW[name]) query.set(name, view[name]);
  if (view.range !== undefined) {
    query.set('from', timeText(view.range.fromMs));
    query.set('to', timeText(view.range.toMs));
  }
  for (const overlay of view.overlays) query.append('overlay', seriesText(overlay));
  for (const tier of view.tiers) query.append('tier', tier);
  if (!view.ownScale) query.set('scale', 'same');
  if (view.profile) query.set('profile', 'on');
  if (!view.footprint) query.set('footprint', 'off');
  // Colons and slashes may stand in a query, and are easier to read.
  return query.toString().replaceAll('%3A', ':').replaceAll('%2F', '/').replaceAll('%40', '@');
}

/** What is not understood has its default value: an old link still shows what it can. */
export function parseView(text: string): View {
  const query = new URLSearchParams(text);
  const interval = query.get('interval');
  return {
    series: parseSeries(`${query.get('market') ?? 'spot'}:${query.get('symbol') ?? ''}`),
    interval: CHART_INTERVALS.find((known) => known === interval) ?? DEFAULT_VIEW.interval,
    anchor: query.get('anchor') ?? DEFAULT_VIEW.anchor,
    open: query.get('open') === 'previous' ? 'previous' : 'first',
    zone: knownZone(query.get('zone')),
    range: parseRange(query.get('from'), query.get('to')),
    overlays: query.getAll('overlay').flatMap((overlay) => parseSeries(overlay) ?? []),
    tiers: query.getAll('tier').filter((tier) => /^\d+$/.test(tier)),
    ownScale: query.get('scale') !== 'same',
    profile: query.get('profile') === 'on',
    footprint: query.get('footprint') !== 'off',
    bin: isBin(query.get('bin')) ? (query.get('bin') ?? '') : DEFAULT_VIEW.bin,
  };
}

/** What a query asks for and no page has, in words. */
export function unknownInterval(text: string): string | undefined {
  const interval = new URLSearchParams(text).get('interval');
  if (interval === null || interval === 'auto') return undefined;
  if (CHART_INTERVALS.some((known) => known === interval)) return undefined;
  return `There is no interval ${interval}: the page chooses from ${CHART_INTERVALS.join(', ')}.`;
}

function isMarketName(text: string): text is MarketName {
  return Object.hasOwn(MARKET_NAMES, text);
}

/** As the API takes it. */
function isBin(text: string | null): boolean {
  return text !== null && /^\d{1,10}(?:\.\d{1,8})?$/.test(text) && Number(text) > 0;
}

function knownZone(text: string | null): string {
  if (text === null || text === 'local') return text ?? DEFAULT_VIEW.zone;
  return zoneNamed(text) ?? DEFAULT_VIEW.zone;
}

/** The name of a time zone as the browser spells it; undefined when there is none. */
export function zoneNamed(text: string): string | undefined {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** To the second: shorter links, and finer than any bar. */
function timeText(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19).replace(/:00$/, '')}Z`;
}

function parseRange(from: string | null, to: string | null): VisibleRange | undefined {
  const [fromMs, toMs] = [from, to].map((text) => (text === null ? undefined : utcTime(text)));
  const isRange = fromMs !== undefined && toMs !== undefined && fromMs < toMs;
  return isRange ? { fromMs, toMs } : undefined;
}
