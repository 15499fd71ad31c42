import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createSql, type Sql, type TextRow } from '../../src/adapters/questdb/sql.ts';
import { DAY_MS, isoDay } from '../../src/domain/time/hour.ts';
import type { Series } from '../../src/domain/market.ts';
import { type ArchiveServer, startArchiveServer } from '../exchange/archive-server.ts';
import { bracketedTrades } from '../exchange/bracketed-trades.ts';
import { withExcludedFills } from '../exchange/excluded-fills.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import type { TradeSeries } from '../exchange/trade-series.ts';
import { loadTradesFile } from '../exchange/trades-file.ts';
import { REAL_DAY_PATH, realDayIsHere } from '../golden/real-day.ts';
import { unique } from '../support/command-line.ts';
import { recipesOf } from '../support/cookbook-page.ts';
import { DAY, dayTrades } from './cookbook-day.ts';
import type { Cell } from './cookbook-series.ts';
import { ANSWERS, type Truth } from './cookbook-truth.ts';
import { cm, Rig, spot, um } from './rig.ts';

const PAGE = readFileSync(path.join(import.meta.dirname, '../../docs/sql.md'), 'utf8');
const RECIPES = recipesOf(PAGE);
const BUILD_MS = 300_000;

/** Made-up trades, enough for every recipe to find something; the days before and after prove the day's ends. */
const SPAN = { fromMs: DAY - DAY_MS, toMs: DAY + 2 * DAY_MS, tradesPerHour: 600 };
const MADE_UP = {
  spot: syntheticTrades({ seed: 61, ...SPAN, firstId: 1_001, typicalLots: 60_000 }),
  um: withExcludedFills(
    syntheticTrades({ seed: 62, ...SPAN, firstId: 2_001, typicalLots: 60_000 }),
  ),
  cm: withExcludedFills(
    syntheticTrades({ seed: 63, ...SPAN, firstId: 3_001, qtyDecimals: 0, typicalLots: 20 }),
  ),
  eth: syntheticTrades({ seed: 64, ...SPAN, firstId: 4_001, price: 2_300, typicalLots: 100_000 }),
};

interface Place {
  readonly trades: Readonly<Record<keyof Truth, TradeSeries>>;
  /** This run's symbols by those of the page; no other test on the same services uses them. */
  readonly names: ReadonlyMap<string, string>;
}

function placeWith(spotTrades: TradeSeries): Place {
  const coin = unique('CB');
  const names = [
    ['BTCUSD_PERP', `${coin}_PERP`],
    ['BTCUSDT', coin],
    ['ETHUSDT', unique('CE')],
  ] as const;
  return { trades: { ...MADE_UP, spot: spotTrades }, names: new Map(names) };
}

function nameOf({ names }: Place, symbol: string): string {
  const name = names.get(symbol);
  if (name === undefined) throw new Error(`the page has no symbol ${symbol}`);
  return name;
}

function archivedOf(place: Place) {
  const { trades } = place;
  return [
    { symbol: nameOf(place, 'BTCUSDT'), trades: trades.spot },
    { symbol: nameOf(place, 'ETHUSDT'), trades: trades.eth },
    { market: 'um' as const, symbol: nameOf(place, 'BTCUSDT'), trades: trades.um },
    { market: 'cm' as const, symbol: nameOf(place, 'BTCUSD_PERP'), trades: trades.cm },
  ];
}

function seriesOf(place: Place): Series[] {
  const [btc, eth, perp] = ['BTCUSDT', 'ETHUSDT', 'BTCUSD_PERP'].map((symbol) =>
    nameOf(place, symbol),
  );
  return [spot(btc ?? ''), spot(eth ?? ''), um(btc ?? ''), cm(perp ?? '')];
}

function dayFile(symbol: string): string {
  return `data/spot/daily/aggTrades/${symbol}/${symbol}-aggTrades-${isoDay(DAY)}.zip`;
}

/** A store with the day of all series, and the true trades. */
class Cookbook {
  readonly place: Place;
  readonly truth: Truth;
  readonly #rig: Rig;
  readonly #server: ArchiveServer;
  readonly #sql: Sql;

  static async open(spotTrades: TradeSeries): Promise<Cookbook> {
    const place = placeWith(spotTrades);
    const symbols = archivedOf(place);
    const server = await startArchiveServer(symbols);
    // Packed before the work starts: a day of real trades takes seconds, in which no worker in this process
    // could renew its locks.
    const packed = await fetch(`${server.url}/${dayFile(nameOf(place, 'BTCUSDT'))}`);
    await packed.arrayBuffer();
    expect(packed.status).toBe(200);
    const rig = await Rig.start({ symbols, archiveUrl: server.url });
    const range = { startMs: DAY, endMs: DAY + DAY_MS };
    const run = await rig.backfill(await rig.app(), seriesOf(place), range, 'auto');
    expect(run).toMatchObject({ exitCode: 0 });
    return new Cookbook(place, rig, server);
  }

  private constructor(place: Place, rig: Rig, server: ArchiveServer) {
    this.place = place;
    this.#rig = rig;
    this.#server = server;
    this.#sql = createSql(inject('services').questdbReadonlyPgUrl, 1);
    const { trades } = place;
    this.truth = {
      spot: dayTrades(trades.spot),
      um: dayTrades(trades.um),
      cm: dayTrades(trades.cm),
      eth: dayTrades(trades.eth),
    };
  }

  /** Runs a query of the page with this run's symbols. */
  async ask(query: string): Promise<TextRow[]> {
    let text = query;
    for (const [symbol, name] of this.place.names)
      text = text
        .replaceAll(symbol, name)
        .replaceAll(`_${symbol.toLowerCase()}`, `_${name.toLowerCase()}`);
    return [...(await this.#sql.query(text))];
  }

  async close(): Promise<void> {
    await this.#sql.close();
    await this.#rig.dispose();
    await this.#server.close();
  }
}

function cellsOf(rows: readonly TextRow[]): string[][] {
  return rows.map((row) => Object.values(row).map((cell) => cell ?? ''));
}

/** The text of an answer in the type of the expected cell. */
function like(cell: Cell, text: string): Cell {
  if (typeof cell === 'boolean') return text === 't';
  return typeof cell === 'number' ? Number(text) : text;
}

function expectTrue(answer: readonly (readonly string[])[], truth: readonly (readonly Cell[])[]) {
  const read = answer.map((row, index) =>
    row.map((text, column) => like(truth[index]?.[column] ?? '', text)),
  );
  expect(read).toEqual(truth.map((row) => row.map(nearly)));
}

/** Both sides add up doubles in different orders, so ten digits must agree. */
function nearly(cell: Cell): unknown {
  if (typeof cell !== 'number') return cell;
  const digits = 9 - Math.max(0, Math.floor(Math.log10(Math.abs(cell) + 1)));
  return expect.closeTo(cell, digits) as unknown;
}

/** Scans of these tables must use the time, and not read all rows. */
const BIG_TABLE = /scan on: (?:cdv_exact_|tiers_exact_|tier_minutes|agg_trades|slices)/;

/** Tables of all series. */
const SHARED_READ = /\bfrom (?:cdv_|bars_|tiers_|coverage\b)/g;
const TRADES_READ = /\bfrom (?:agg_)?trades_\w+/g;

describe('docs/sql.md', () => {
  it('has at least fifteen numbered recipes, each with filters by series and time and a note on exactness', () => {
    expect(RECIPES.length).toBeGreaterThanOrEqual(15);
    expect(RECIPES.map(({ number }) => number)).toEqual(RECIPES.map((_, index) => index + 1));
    for (const { title, text, answers } of RECIPES) {
      expect(text, title).toMatch(/^(?:Exact|Rounded)\b/m);
      for (const { query } of answers) {
        const count = (pattern: RegExp) => query.match(pattern)?.length ?? 0;
        const shared = count(SHARED_READ);
        const tables = shared + count(TRADES_READ);
        expect(tables, title).toBeGreaterThan(0);
        expect(count(/\bmarket (?:=|in)/g), title).toBeGreaterThanOrEqual(shared);
        expect(count(/\bsymbol (?:=|in)/g), title).toBeGreaterThanOrEqual(shared);
        expect(count(/\bts (?:in|>=)/g), title).toBeGreaterThanOrEqual(tables);
      }
    }
  });

  it('has an independent answer for each query', () => {
    const counts = RECIPES.map(({ number, answers }) => [number, answers.length]);
    expect(Object.entries(ANSWERS).map(([number, own]) => [Number(number), own.length])).toEqual(
      counts,
    );
  });
});

if (!realDayIsHere()) {
  const missing = `REAL DAY MISSING: the answers in docs/sql.md were not compared with real trades. Put the archive at ${REAL_DAY_PATH}, or name it in CDVAULT_REAL_DAY`;
  // Also written here, since reporters omit the names of skipped tests.
  process.stderr.write(`${missing}\n`);
  it.skip(missing, () => undefined);
}

async function realTrades(): Promise<TradeSeries> {
  return bracketedTrades(await loadTradesFile(REAL_DAY_PATH), DAY * 1000);
}

const PLACES = [
  { day: 'a made-up day', isReal: false, spotTrades: async () => MADE_UP.spot },
  ...(realDayIsHere() ? [{ day: 'the real day', isReal: true, spotTrades: realTrades }] : []),
];

describe.each(PLACES)('the recipes on $day', ({ day, isReal, spotTrades }) => {
  let book: Cookbook;
  let ran = 0;

  beforeAll(async () => {
    book = await Cookbook.open(await spotTrades());
  }, BUILD_MS);

  afterAll(async () => {
    await book.close();
    process.stderr.write(`cookbook: ${ran} of ${RECIPES.length} recipes ran on ${day}\n`);
  });

  it.each(RECIPES)('$number: $title', async ({ number, answers }) => {
    for (const [index, { query, columns, rows }] of answers.entries()) {
      const answer = await book.ask(query);
      const cells = cellsOf(answer);
      if (answer[0] !== undefined) expect(Object.keys(answer[0])).toEqual(columns);
      expectTrue(cells, ANSWERS[number]?.[index]?.(book.truth) ?? []);
      if (isReal) expect(cells).toEqual(rows);
      const plan = await book.ask(`EXPLAIN ${query}`);
      const scans = cellsOf(plan)
        .flat()
        .filter((line) => BIG_TABLE.test(line));
      expect(scans.filter((line) => !line.includes('Interval'))).toEqual([]);
      expect(scans.length).toBeGreaterThan(0);
    }
    ran += 1;
  });
});
