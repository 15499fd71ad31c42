import { afterAll, beforeAll, expect, test } from 'vitest';
import type { App } from '../../src/cli/compose.ts';
import { DAY_MS, floorTo, HOUR_MS, isoDay, lastClosedHourEnd } from '../../src/domain/time/hour.ts';
import { verdictOf } from '../../src/domain/proof/ledger.ts';
import { type ArchiveServer, startArchiveServer } from '../exchange/archive-server.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { unique } from '../support/command-line.ts';
import { Rig, um } from './rig.ts';

const TODAY = floorTo(Date.now(), DAY_MS);
const daysAgo = (days: number) => TODAY - days * DAY_MS;
/** In the last hours of a day REST no longer has all of yesterday. */
const HAS_YESTERDAY = Date.now() < TODAY + 22 * HOUR_MS;
/** Five days ago; REST has the last two days. */
const FROM = daysAgo(5);
const trades = syntheticTrades({
  seed: 91,
  fromMs: FROM - 2 * HOUR_MS,
  toMs: TODAY + 2 * DAY_MS,
  tradesPerHour: 20,
  firstId: 4_000,
});
const symbol = unique('FUT');
const other = unique('FUT');

let server: ArchiveServer;
let rig: Rig;
let app: App;

beforeAll(async () => {
  const symbols = [symbol, other].map((name) => ({ market: 'um' as const, symbol: name, trades }));
  server = await startArchiveServer(symbols);
  rig = await Rig.start({ symbols, archiveUrl: server.url });
  app = await rig.app();
});

afterAll(async () => {
  await rig.dispose();
  await server.close();
});

function backfill(name: string, ...more: string[]) {
  return rig.cli(['backfill', name, '--market', 'um', '--from', isoDay(FROM), ...more]);
}

test('old days come from files, young hours by REST; a late file is awaited and then taken', async () => {
  const late = daysAgo(4);
  server.setFault(symbol, isoDay(late), 'absent');
  // This file is late too, but REST still has the day.
  if (HAS_YESTERDAY) server.setFault(symbol, isoDay(daysAgo(1)), 'absent');
  const waits = await backfill(symbol);
  expect(waits.stderr).toContain(`24 hours of ${isoDay(late)} wait for the archive file`);
  expect(waits.stderr).toContain(`24 hours wait for the archive file of ${isoDay(late)}`);
  expect(waits.exitCode, waits.stderr).toBe(3);
  const range = { startMs: FROM, endMs: lastClosedHourEnd(Date.now()) };
  const open = await app.ledger.openGaps(um(symbol), range);
  expect(open.filter(({ gapClass }) => gapClass === 'pending_archive')).toHaveLength(24);

  server.setFault(symbol, isoDay(late), undefined);
  const taken = await backfill(symbol);
  expect(taken.exitCode, taken.stderr).toBe(0);
  const records = await app.ledger.records(um(symbol), range);
  expect(records.map(verdictOf)).toEqual(records.map(() => 'proven'));
  const sourceOf = (dayMs: number) =>
    new Set(records.filter(({ hourMs }) => floorTo(hourMs, DAY_MS) === dayMs).map((r) => r.source));
  for (const days of [5, 4, 3]) expect([...sourceOf(daysAgo(days))]).toEqual(['archive']);
  const yesterday = sourceOf(daysAgo(1));
  if (HAS_YESTERDAY) expect([...yesterday]).toEqual(['rest']);
  // REST proves its first hour when its file is read before that of the day before.
  else expect(yesterday).toContain('archive');
  const left = await app.ledger.openGaps(um(symbol), range);
  expect(left.filter(({ gapClass }) => gapClass === 'pending_archive')).toEqual([]);
});

test('by REST alone a range older than 48 hours is refused before any request', async () => {
  const { exitCode, stderr } = await backfill(other, '--source', 'rest');
  expect(stderr).toContain('RETENTION');
  expect(exitCode).toBe(3);
});
