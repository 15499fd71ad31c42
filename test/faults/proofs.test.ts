import { expect } from 'vitest';
import { barsId } from '../../src/adapters/bullmq/job-ids.ts';
import { ingestHour } from '../../src/app/hour/ingest-hour.ts';
import type { App } from '../../src/cli/compose.ts';
import { contentHasher } from '../../src/domain/trade/content-hash.ts';
import { CdvaultError } from '../../src/domain/errors.ts';
import { compactDay, DAY_MS, HOUR_MS, hourWindowUs } from '../../src/domain/time/hour.ts';
import { INTERVALS } from '../../src/domain/time/interval.ts';
import { faultySeries } from '../exchange/data-faults.ts';
import type { Fault } from '../exchange/faults.ts';
import { tradesFromArray } from '../exchange/trade-series.ts';
import { referenceDay, withoutTrust } from '../e2e/reference.ts';
import { eventually, spot } from '../e2e/rig.ts';
import { fault, printFaultTable } from './fault.ts';
import { OneSymbol } from './one-symbol.ts';

const DAY = Date.UTC(2024, 7, 6);
const RANGE = { startMs: DAY, endMs: DAY + 4 * HOUR_MS };
const BUSY = DAY + HOUR_MS;
const BUSY_FROM_ID = 1_000;
/** More than one batch, so that rows of the hour are stored long before it is proven. */
const BUSY_ROWS = 12_500;

/** Forty trades an hour, except for one busy hour. */
const trades = tradesFromArray([
  ...hourOf(DAY - HOUR_MS, BUSY_FROM_ID - 80, 40),
  ...hourOf(DAY, BUSY_FROM_ID - 40, 40),
  ...hourOf(BUSY, BUSY_FROM_ID, BUSY_ROWS),
  ...[1, 2, 3].flatMap((hour, index) =>
    hourOf(BUSY + hour * HOUR_MS, BUSY_FROM_ID + BUSY_ROWS + index * 40, 40),
  ),
]);

function hourOf(hourMs: number, firstId: number, rows: number) {
  return Array.from({ length: rows }, (_, index) => ({
    a: firstId + index,
    p: `${100 + (index % 7)}.25`,
    q: `${1 + (index % 5)}.${index % 9}`,
    timeUs: (hourMs + Math.floor((index * HOUR_MS) / rows)) * 1000,
    m: index % 3 === 0,
  }));
}

let one: OneSymbol;

/**
 * Matches pages of the busy hour that start at or after its n-th row. Without the last row: the pages of
 * the next hour may start with it.
 */
function onPagesFrom(row: number, answer: Omit<Fault, 'name' | 'when'>, when: Fault['when'] = {}) {
  const fromIdRange = [BUSY_FROM_ID + row, BUSY_FROM_ID + BUSY_ROWS - 2] as const;
  return { name: `${answer.kind} ${row}`, when: { fromIdRange, ...when }, ...answer };
}

/** The hours of the day, as numbers, that its bars were computed from. */
async function builtFrom(app: App): Promise<number[]> {
  const range = { startMs: DAY, endMs: DAY + DAY_MS };
  const [day] = await app.bars.days(spot(one.symbol), range);
  return [...(day?.inputs ?? '').matchAll(/(\d\d)=proven/g)].map(([, hour]) => Number(hour));
}

fault(
  'two overlapping runs, and an hour fails half stored: bars are built from proven hours only',
  'quick',
  async (report) => {
    one = await OneSymbol.start(trades, RANGE);
    const { rig, app, symbol } = one;
    const series = [spot(symbol)];
    const released = Promise.withResolvers<void>();
    // The first run that gets this far fails for good; the other one is held here until it is released.
    rig.exchange.setFaults([
      onPagesFrom(BUSY_ROWS - 2_000, { kind: 'apiError', code: -1121 }, { times: 1 }),
      onPagesFrom(BUSY_ROWS - 2_000, { kind: 'held', until: released.promise }),
    ]);
    const runIds = [
      await rig.enqueue(app, series, { startMs: DAY, endMs: DAY + 3 * HOUR_MS }),
      await rig.enqueue(app, series, { startMs: DAY + HOUR_MS, endMs: RANGE.endMs }),
    ];
    const workers = rig.work(app);
    const slices = rig.raw('slice-binance_spot');
    await eventually('a slice has failed', async () => (await slices.getFailedCount()) > 0);
    const [failed] = await slices.getFailed();
    if (failed === undefined) throw new Error('the failed slice is gone');
    const { runId } = failed.data as { runId: string };
    report.saw(failed.failedReason);

    // For the queue, every child of this run's flow is done.
    const bars = rig.raw('bars');
    const isBuilt = async () =>
      (await bars.getJob(barsId(runId, spot(symbol), compactDay(DAY))))?.isCompleted();
    await eventually('its bars are built', async () => (await isBuilt()) === true);
    const stored = await app.trades.readBack(spot(symbol), hourWindowUs(BUSY));
    expect(stored.rows).toBeGreaterThanOrEqual(10_000);
    expect(await app.ledger.record(spot(symbol), BUSY)).toBeUndefined();
    const hours = await builtFrom(app);
    expect(hours).not.toContain(1);
    for (const interval of INTERVALS) {
      const range = { startMs: DAY, endMs: DAY + DAY_MS };
      const built = await app.bars.bars(spot(symbol), interval, range);
      const starts = hours.map((hour) => DAY + hour * HOUR_MS);
      expect(built.map(withoutTrust)).toEqual(
        referenceDay(trades, DAY, interval, { hours: starts }),
      );
    }

    released.resolve();
    await rig.untilOver(app, runIds, series);
    await workers.stop();
    expect(await builtFrom(app)).toEqual([0, 1, 2, 3]);
    await one.expectNothingLost();
  },
);

fault(
  'two writers of one hour get different answers: the ledger describes what is stored',
  'quick',
  async (report) => {
    // The second read of this row returns another quantity.
    const altered = { id: BUSY_FROM_ID + 50, onRead: 2, change: { q: '77.00000000' } };
    one = await OneSymbol.start(faultySeries(trades, [{ kind: 'alteredRead', ...altered }]), RANGE);
    const { rig, app: slow, symbol } = one;
    const fast = await rig.app();
    await fast.catalogue.pinOrigin(spot(symbol), RANGE.startMs);
    const slice = { ...spot(symbol), hourMs: BUSY, runId: 'writers' };
    const released = Promise.withResolvers<void>();
    rig.exchange.setFaults([
      onPagesFrom(4_000, { kind: 'held', until: released.promise }, { times: 1 }),
    ]);

    // The slow writer has read the row, stores it after the fast one's try, and then stops.
    const stop = new AbortController();
    const interrupted = ingestHour(slow, slice, stop.signal, () =>
      stop.abort(new CdvaultError('INTERRUPTED', 'stopped after its first batch')),
    ).catch((error: unknown) => error);
    await eventually('the slow writer waits', () => rig.pages(symbol).length > 4);
    const firstTry = await ingestHour(fast, slice, AbortSignal.timeout(60_000));
    released.resolve();
    expect(await interrupted).toMatchObject({ code: 'INTERRUPTED' });
    let outcome = firstTry;
    while (outcome.kind === 'busy')
      outcome = await ingestHour(fast, slice, AbortSignal.timeout(60_000));

    const hasher = contentHasher();
    for await (const trade of fast.trades.read(slice, hourWindowUs(BUSY))) hasher.update(trade);
    const record = await fast.ledger.record(slice, BUSY);
    expect(record?.contentHash, 'the ledger describes what is stored').toBe(hasher.digest());
    expect(firstTry.kind).toBe('busy');
    report.saw(`the second writer gets: ${firstTry.kind}`);
    expect(await rig.backfill(slow, [spot(symbol)], RANGE)).toMatchObject({ exitCode: 0 });
    await one.expectNothingLost(trades);
  },
);

printFaultTable();
