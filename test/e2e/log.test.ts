import { afterAll, beforeAll, expect, test } from 'vitest';
import { HOUR_MS } from '../../src/domain/time/hour.ts';
import { faultySeries } from '../exchange/data-faults.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { unique } from '../support/command-line.ts';
import { Rig } from './rig.ts';

const DAY = Date.UTC(2024, 9, 7);
const base = syntheticTrades({
  seed: 63,
  fromMs: DAY - HOUR_MS,
  toMs: DAY + 4 * HOUR_MS,
  tradesPerHour: 200,
  firstId: 1_000,
});
const holeAt = base.firstId + base.indexAtTime((DAY + HOUR_MS) * 1000) + 20;
const SYMBOL = unique('LOGGED');

let rig: Rig;

beforeAll(async () => {
  const trades = faultySeries(base, [{ kind: 'gap', fromId: holeAt, toId: holeAt + 3 }]);
  rig = await Rig.start({ symbols: [{ symbol: SYMBOL, trades }] });
});

afterAll(async () => rig.dispose());

interface Line {
  readonly runId?: string;
  readonly kind?: string;
  readonly msg?: string;
  readonly symbol?: string;
  readonly part?: string;
  readonly rows?: number;
  readonly weight?: number;
  readonly tradeRequests?: number;
}

const FIELDS = [
  'requests',
  'retries',
  'rows',
  'waitMs',
  'fetchMs',
  'decodeMs',
  'writeMs',
  'durationMs',
];

test('every log line of a job has its run and its job, whatever module writes it', async () => {
  const to = new Date(DAY + 3 * HOUR_MS).toISOString();
  const args = ['backfill', SYMBOL, '--from', new Date(DAY).toISOString(), '--to', to];
  const { exitCode, stdout, stderr } = await rig.cli([...args, '--source', 'rest', '--json'], {
    CDVAULT_LOG: 'debug',
  });
  expect(exitCode, stderr).toBe(3);
  const { runId } = JSON.parse(stdout.split('\n')[0] ?? '') as Line;
  const lines = stderr
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line);
  const holes = lines.filter(({ msg }) => msg?.startsWith('page with a hole') === true);
  expect(holes.length).toBeGreaterThan(0);
  for (const line of holes)
    expect(line).toMatchObject({ runId, kind: 'slice', jobId: expect.any(String) });
  const jobs = lines.filter(({ msg, kind }) => msg === 'job' && kind === 'slice');
  const hours = ['00', '01', '02'].map((hour) => `2024-10-07T${hour}Z`);
  expect(new Set(jobs.map(({ part }) => part))).toEqual(new Set(hours));
  expect(jobs).toHaveLength(hours.length);
  for (const line of jobs) {
    expect(line).toMatchObject({ runId, market: 'binance_spot', symbol: SYMBOL, outcome: 'done' });
    // The same fields always, whatever the job did.
    expect(Object.keys(line)).toEqual(Object.keys(jobs[0] ?? {}));
    expect(Object.keys(line)).toEqual(expect.arrayContaining(FIELDS));
  }
  const sum = (name: 'rows' | 'weight' | 'tradeRequests') =>
    jobs.reduce((total, line) => total + (line[name] ?? 0), 0);
  expect([sum('rows') > 500, sum('tradeRequests') >= 3, sum('weight') > 3]).toEqual([
    true,
    true,
    true,
  ]);
  // Continuous levels are computed for all runs.
  const ofSymbol = lines.filter(({ symbol, kind }) => symbol === SYMBOL && kind !== 'chain');
  expect(ofSymbol.filter((line) => line.runId !== runId)).toEqual([]);
});
