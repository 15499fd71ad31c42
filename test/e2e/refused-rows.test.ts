import { afterAll, beforeAll, expect, test } from 'vitest';
import type { App } from '../../src/cli/compose.ts';
import { DAY_MS, HOUR_MS } from '../../src/domain/time/hour.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { faultySeries } from '../exchange/data-faults.ts';
import { unique } from '../support/command-line.ts';
import { NEVER, tradesTable } from '../support/store.ts';
import { tradeOf } from '../support/trades.ts';
import { truth } from './reference.ts';
import { Rig, spot } from './rig.ts';

/** Stored rows that did not come from REST are compared with the exchange before they count. */
const DAY = Date.UTC(2024, 8, 2);
const RANGE = { startMs: DAY, endMs: DAY + 2 * HOUR_MS };
const base = syntheticTrades({
  seed: 12,
  fromMs: DAY - HOUR_MS,
  toMs: DAY + 4 * HOUR_MS,
  tradesPerHour: 60,
});
const rows = truth(base, RANGE);
const lostId = rows[20]?.aggId ?? 0;
const [REFUSED, HOLED] = [spot(unique('REFUSED')), spot(unique('HOLED'))];
/** A series in which the exchange's database is missing a row at first, and has it later. */
const holed = { current: faultySeries(base, [{ kind: 'gap', fromId: lostId, toId: lostId }]) };

let rig: Rig;
let app: App;

beforeAll(async () => {
  rig = await Rig.start({
    symbols: [
      { symbol: REFUSED.symbol, trades: base },
      {
        symbol: HOLED.symbol,
        trades: {
          get count() {
            return holed.current.count;
          },
          firstId: base.firstId,
          endUs: base.endUs,
          at: (index) => holed.current.at(index),
          indexOfId: (id) => holed.current.indexOfId(id),
          indexAtTime: (timeUs) => holed.current.indexAtTime(timeUs),
        },
      },
    ],
  });
  app = await rig.app();
});

afterAll(() => rig.dispose());

async function storedRows(symbol: string): Promise<unknown> {
  const found = await app.sql.query(
    `SELECT agg_id, qty FROM ${await tradesTable(app.sql, symbol)} WHERE first_id <> -2 ORDER BY agg_id`,
  );
  return found.map((row) => [Number(row['agg_id']), row['qty']]);
}

const asOnExchange = rows.map(({ aggId, qty }) => [aggId, qty]);

test('a row that a refused file has left in the store is replaced by the exchange’s row', async () => {
  const [first] = rows;
  if (first === undefined) throw new Error('an hour without trades');
  await app.catalogue.pinOrigin(REFUSED, DAY);
  await app.trades.write(REFUSED, [{ ...first, qty: '999.00000000' }, ...rows.slice(1, 30)], NEVER);
  await app.files.write([
    {
      ...REFUSED,
      dayMs: DAY,
      name: `${REFUSED.symbol}-aggTrades-2024-09-02.zip`,
      etag: undefined,
      sha256: undefined,
      bytes: undefined,
      verdict: 'refused',
      evidence: 'an id stands in it twice',
      seenAtMs: DAY + DAY_MS,
    },
  ]);
  expect(await rig.backfill(app, [REFUSED], RANGE)).toMatchObject({ exitCode: 0, proven: 2 });
  expect(await storedRows(REFUSED.symbol)).toEqual(asOnExchange);
  const [gap] = await app.ledger.openGaps(REFUSED, RANGE);
  expect(gap).toMatchObject({ gapClass: 'duplicate_id', fromId: first.aggId });
});

test('a stored row under a missing id proves nothing, and is compared with the exchange’s row', async () => {
  expect(await rig.backfill(app, [HOLED], RANGE)).toMatchObject({ exitCode: 3, gap: 1 });
  const bogus = tradeOf(lostId, (rows[20]?.timeUs ?? 0) / 1000, { qty: '999.00000000' });
  await app.trades.write(HOLED, [bogus], NEVER);
  expect(await rig.backfill(app, [HOLED], RANGE)).toMatchObject({ exitCode: 3, gap: 1 });
  holed.current = base;
  expect(await rig.backfill(app, [HOLED], RANGE)).toMatchObject({ exitCode: 0, proven: 2 });
  expect(await storedRows(HOLED.symbol)).toEqual(asOnExchange);
});
