import { afterAll, beforeAll, expect, test } from 'vitest';
import { createArchiveFiles } from '../../src/adapters/questdb/archive-files.ts';
import { dueDays } from '../../src/app/plan/plan-series.ts';
import { DAY_MS, HOUR_MS } from '../../src/domain/time/hour.ts';
import type { ArchiveFiles } from '../../src/ports/archive-files.ts';
import type { GapClass } from '../../src/ports/ledger.ts';
import { openStore, uniqueSeries } from '../support/store.ts';
import { recordOf } from '../support/trades.ts';

const DAY = Date.UTC(2024, 4, 6);
const RANGE = { startMs: DAY + 5 * HOUR_MS, endMs: DAY + 8 * HOUR_MS };
/** When the hours were first asked for. */
const SEEN = DAY + 2 * DAY_MS;
const TICK_MS = HOUR_MS;

let store: ReturnType<typeof openStore>;
let files: ArchiveFiles;
beforeAll(() => {
  store = openStore();
  files = createArchiveFiles(store.sql);
});
afterAll(() => store.close());

function gap(hourMs: number, gapClass: GapClass, toId: number) {
  return { hourMs, gapClass, fromId: 0, toId, evidence: 'in a test' };
}

test('hours that no source has are asked for after waits that double, up to a week; others at every tick', async () => {
  const series = uniqueSeries('REST');
  const [holed, absent, late] = [5, 6, 7].map((hour) => DAY + hour * HOUR_MS) as [
    number,
    number,
    number,
  ];
  // Records the hours again with the time of the request, as a job does that finds nothing new.
  const ask = async (nowMs: number) => {
    const record = { ...recordOf(holed, 100, 10, { rows: 9 }), ...series, fetchedAtMs: nowMs };
    await store.ledger.write([{ record, gaps: [gap(holed, 'missing_ids', 3)] }], nowMs);
    await files.write([
      {
        ...series,
        dayMs: DAY,
        name: 'absent.zip',
        etag: undefined,
        sha256: undefined,
        bytes: undefined,
        verdict: 'absent',
        evidence: 'in a test',
        seenAtMs: nowMs,
      },
    ]);
  };
  await store.ledger.note(
    series,
    [gap(absent, 'retention', 0), gap(late, 'pending_archive', 0)],
    SEEN,
  );
  await ask(SEEN);

  const due = async (nowMs: number, patience = { files, nowMs }) => {
    const days = await Array.fromAsync(dueDays(store, series, RANGE, { patience }));
    return days.flatMap(({ hours }) => hours);
  };
  const asked: number[] = [];
  for (let tick = 1; tick <= 24 * 30; tick += 1) {
    // After the first days only once a day, since each check queries the store.
    if (tick > 100 && tick % 24 !== 0) continue;
    const nowMs = SEEN + tick * TICK_MS;
    const hours = await due(nowMs);
    expect(hours).toContain(late);
    if (hours.length === 1) continue;
    expect(hours).toEqual([holed, absent, late]);
    asked.push(tick);
    await ask(nowMs);
  }
  expect(asked).toEqual([1, 2, 4, 8, 16, 32, 64, 144, 288, 456, 624]);
  // A request by a user is not held back by these waits.
  const all = await Array.fromAsync(dueDays(store, series, RANGE));
  expect(all.flatMap(({ hours }) => hours)).toEqual([holed, absent, late]);
});
