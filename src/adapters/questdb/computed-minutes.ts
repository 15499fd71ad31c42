import { type Bar, silentBar } from '../../domain/bars/bar.ts';
import { BASE_SCALE, type Contract, worthText } from '../../domain/bars/contract.ts';
import { barStatus, type DayInputs } from '../../domain/bars/day.ts';
import { formatDecimal, QTY_SCALE } from '../../domain/trade/decimal.ts';
import { DAY_MS, floorTo, HOUR_MS, MINUTE_MS } from '../../domain/time/hour.ts';
import type { Series } from '../../domain/market.ts';
import type { ComputedMinutes } from '../../ports/bar-store.ts';
import { literal, timestamp } from './sql.ts';

/**
 * The server closes the connection on a statement of more than 1 MB; this many rows take a third of that.
 */
const ROWS_A_STATEMENT = 480;

const NO_BASE = { buyE24: 0n, sellE24: 0n };

/** Statements that write all 1,440 minutes of a day that were computed outside the store. */
export function minuteInserts(
  series: Series,
  day: DayInputs,
  { minutes, baseVolumes }: ComputedMinutes,
  contract: Contract | undefined,
): string[] {
  const rows = wholeDay(day, minutes).map(({ bar, status }) => {
    const text = worthText(bar, contract);
    const base = baseVolumes.get(bar.openMs) ?? NO_BASE;
    return [
      ...levelValues(series, bar),
      decimal(text.buyVolume, 8),
      decimal(text.sellVolume, 8),
      decimal(text.quoteDelta, 16),
      decimal(text.quoteVolume, 16),
      bar.aggTrades,
      bar.trades,
      ...[text.priceOpen, text.priceHigh, text.priceLow, text.priceClose].map((price) =>
        price === undefined ? 'NULL' : `${price}m`,
      ),
      bar.firstId ?? 'NULL',
      bar.lastId ?? 'NULL',
      literal(status),
      ...trustValues(day, bar.openMs),
      ...[base.buyE24, base.sellE24].map((units) =>
        contract?.size === undefined ? 'NULL' : Number(formatDecimal(units, BASE_SCALE)),
      ),
      bar.buyAggTrades,
      bar.buyTrades,
    ];
  });
  return inserts(
    'cdv_exact_1m (ts, market, symbol, open, high, low, close, delta, buy_volume, sell_volume, quote_delta, ' +
      'quote_volume, agg_trades, trades, price_open, price_high, price_low, price_close, first_id, last_id, ' +
      'status, level_from, level_missing, base_buy_volume, base_sell_volume, buy_agg_trades, buy_trades)',
    rows,
  );
}

/**
 * The same for one tier.
 * @param minutes empty when the tier is void: a former tier, or the contract size is unknown
 */
export function tierInserts(
  series: Series,
  day: DayInputs,
  tier: string,
  minutes: readonly Bar[],
): string[] {
  const rows = wholeDay(day, minutes).map(({ bar, status }) => [
    ...levelValues(series, bar),
    literal(tier),
    decimal(formatDecimal(bar.buyVolume, QTY_SCALE), 8),
    decimal(formatDecimal(bar.sellVolume, QTY_SCALE), 8),
    bar.aggTrades,
    bar.trades,
    literal(status),
    ...trustValues(day, bar.openMs),
  ]);
  return inserts(
    'tiers_exact_1m (ts, market, symbol, open, high, low, close, delta, tier, buy_volume, sell_volume, agg_trades, ' +
      'trades, status, level_from, level_missing)',
    rows,
  );
}

function inserts(into: string, rows: readonly (readonly (string | number)[])[]): string[] {
  const statements: string[] = [];
  for (let from = 0; from < rows.length; from += ROWS_A_STATEMENT) {
    const values = rows.slice(from, from + ROWS_A_STATEMENT).map((row) => `(${row.join(', ')})`);
    statements.push(`INSERT INTO ${into} VALUES ${values.join(', ')}`);
  }
  return statements;
}

/**
 * All minutes of a day; those without any information are void, so that no row of an earlier build
 * remains.
 */
function wholeDay(
  day: DayInputs,
  minutes: readonly Bar[],
): { readonly bar: Bar; readonly status: string }[] {
  const byOpen = new Map(minutes.map((bar) => [bar.openMs, bar]));
  let level = 0n;
  return Array.from({ length: DAY_MS / MINUTE_MS }, (_, index) => {
    const openMs = day.dayMs + index * MINUTE_MS;
    const bar = byOpen.get(openMs);
    // A longer bar takes its close from its last minute, even if that is void.
    if (bar === undefined) return { bar: silentBar(openMs, level), status: 'void' };
    level = bar.close;
    return { bar, status: barStatus(day, openMs, MINUTE_MS) };
  });
}

function levelValues({ market, symbol }: Series, bar: Bar): string[] {
  const levels = [bar.open, bar.high, bar.low, bar.close, bar.delta].map((units) =>
    decimal(formatDecimal(units, QTY_SCALE), 8),
  );
  return [timestamp(bar.openMs), literal(market), literal(symbol), ...levels];
}

function trustValues({ levelFromMs, missing, hours }: DayInputs, openMs: number): string[] {
  const hourMs = floorTo(openMs, HOUR_MS);
  const levelMissing = hours.find((hour) => hour.hourMs === hourMs)?.levelMissing ?? 0;
  return [timestamp(levelFromMs), missing === undefined ? 'NULL' : String(levelMissing)];
}

function decimal(text: string | undefined, scale: 8 | 16): string {
  return text === undefined ? 'NULL' : `${text}m::decimal(38,${scale})`;
}
