import { afterAll, expect, test } from 'vitest';
import type { App } from '../../src/cli/compose.ts';
import type { TimeRange } from '../../src/domain/time/hour.ts';
import { DAY_MS, daysOf, floorTo, HOUR_MS } from '../../src/domain/time/hour.ts';
import { INTERVALS } from '../../src/domain/time/interval.ts';
import { formatDecimal, parseDecimal, QTY_SCALE } from '../../src/domain/trade/decimal.ts';
import { isInvalid } from '../../src/domain/trade/agg-trade.ts';
import type { TradeSeries } from '../exchange/trade-series.ts';
import { expectAnchors, referenceDay, truth, withoutTrust } from '../e2e/reference.ts';
import { type Rig, spot } from '../e2e/rig.ts';
import { exportSeries, RESULT_TABLES } from '../support/exports.ts';
import { isTurnOf } from '../support/fault-turns.ts';
import { tradesTable } from '../support/store.ts';

/**
 * Every fault is one named test that ends in `expectNothingLost`. `make faults` runs them all; `make test`
 * runs the quick ones, and of the slow ones of each file the one whose turn it is.
 */
const ALL = process.env['CDVAULT_FAULTS'] === 'all';
/** The seed of the whole run, set in vitest.config.ts. */
export const SEED = Number(process.env['CDVAULT_SEED']);

export interface FaultReport {
  /** Records a log line or error that the operator saw; several are kept in their order. */
  saw(line: string): void;
  /** Ends the test as skipped, because this machine can't produce the fault. */
  skip(why: string): never;
}

interface FaultRow {
  readonly name: string;
  readonly seconds: number;
  readonly saw: string;
}

const rows: FaultRow[] = [];

/** Names of the slow faults of this file, in their order; they must be unique. */
const slow: string[] = [];

/** @param pace `slow`: `make test` runs one such fault of a file at a time, in turn */
export function fault(
  name: string,
  pace: 'quick' | 'slow',
  body: (report: FaultReport) => Promise<void>,
  timeoutMs = 300_000,
): void {
  if (pace === 'slow') slow.push(name);
  test(
    name,
    async (context) => {
      // Computed here, when all faults of the file are known.
      const isDue = ALL || pace === 'quick' || isTurnOf(slow.indexOf(name), slow.length, SEED);
      if (!isDue) context.skip(`its turn comes within ${slow.length} commits`);
      const startMs = performance.now();
      const lines: string[] = [];
      const skip = (why: string): never => {
        rows.push({ name, seconds: 0, saw: `SKIPPED: ${why}` });
        return context.skip(why);
      };
      await body({ saw: (line) => void lines.push(line), skip });
      expect(lines.join(''), 'what the operator saw').not.toBe('');
      rows.push({ name, seconds: (performance.now() - startMs) / 1000, saw: lines.join(' … ') });
    },
    timeoutMs,
  );
}

/** Prints the table of a file's faults: name, time, what the operator saw. */
export function printFaultTable(): void {
  afterAll(() => {
    const table = rows.map(
      ({ name, seconds, saw }) =>
        `| ${name} | ${seconds.toFixed(1)} s | ${saw.replaceAll('|', '\\|')} |`,
    );
    process.stdout.write([`faults, seed ${SEED} (CDVAULT_SEED)`, ...table, ''].join('\n'));
  });
}

export interface Backfilled {
  readonly rig: Rig;
  readonly app: App;
  readonly symbol: string;
  readonly trades: TradeSeries;
  /** Whole days, or hours of one day. */
  readonly range: TimeRange;
}

/**
 * Checks what must hold after any fault, once a run has succeeded: the stored ids are the exchange's ids,
 * each once; every sum is exact, in the ledger, in the bars at every interval and in the anchors; another
 * run makes no trade request and changes no row.
 */
export async function expectNothingLost({
  rig,
  app,
  symbol,
  trades,
  range,
}: Backfilled): Promise<void> {
  const series = spot(symbol);
  const offered = truth(trades, range);
  const stored = await app.sql.query(
    `SELECT agg_id FROM ${await tradesTable(app.sql, symbol)} WHERE first_id <> -2 ORDER BY agg_id`,
  );
  expect(
    stored.map((row) => Number(row['agg_id'])),
    'stored ids',
  ).toEqual(offered.map(({ aggId }) => aggId));

  const valid = offered.filter((trade) => !isInvalid(trade));
  const sumOf = (isBuyerMaker: boolean) =>
    valid
      .filter((trade) => trade.isBuyerMaker === isBuyerMaker)
      .reduce((sum, { qty }) => sum + parseDecimal(qty, QTY_SCALE), 0n);
  const records = await app.ledger.records(series, range);
  const total = (pick: (record: (typeof records)[number]) => string) =>
    formatDecimal(
      records.reduce((sum, record) => sum + parseDecimal(pick(record), QTY_SCALE), 0n),
      QTY_SCALE,
    );
  expect(
    [total(({ buyQty }) => buyQty), total(({ sellQty }) => sellQty)],
    'bought and sold',
  ).toEqual([formatDecimal(sumOf(false), QTY_SCALE), formatDecimal(sumOf(true), QTY_SCALE)]);
  for (const dayMs of daysOf({ startMs: floorTo(range.startMs, DAY_MS), endMs: range.endMs })) {
    const startMs = Math.max(dayMs, range.startMs);
    const endMs = Math.min(dayMs + DAY_MS, range.endMs);
    const hours = Array.from(
      { length: (endMs - startMs) / HOUR_MS },
      (_, hour) => startMs + hour * HOUR_MS,
    );
    for (const interval of INTERVALS) {
      const bars = await app.bars.bars(series, interval, { startMs: dayMs, endMs: dayMs + DAY_MS });
      expect(bars.map(withoutTrust), `bars at ${interval}`).toEqual(
        referenceDay(trades, dayMs, interval, { hours }),
      );
    }
  }

  const originMs = floorTo(range.startMs, DAY_MS);
  await expectAnchors(app, symbol, trades, { range, originMs });

  const ofSymbol = () =>
    rig.exchange.requests.tradeRequests().filter(({ query }) => query['symbol'] === symbol).length;
  // With all columns, since nothing may have been written at all.
  const tables = async () => exportSeries(rig.services, symbol, RESULT_TABLES, { columns: ['*'] });
  const before = ofSymbol();
  const tablesBefore = await tables();
  const again = await rig.backfill(app, [series], range);
  expect(again).toMatchObject({ exitCode: 0, rows: offered.length });
  expect(ofSymbol() - before, 'trade requests for proven hours').toBe(0);
  expect(await tables(), 'tables after a run with nothing to do').toEqual(tablesBefore);
}
