import { describe, expect, test } from 'vitest';
import { lookAtAll, type LookDeps, type StatusFacts } from '../../../src/app/status/look.ts';
import { statusScreen, stripCells } from '../../../src/cli/print/status-screen.ts';
import { DAY_MS, HOUR_MS } from '../../../src/domain/time/hour.ts';
import type { SeriesCoverage } from '../../../src/ports/ledger.ts';
import type { ScheduleRule } from '../../../src/domain/plan/schedule-rule.ts';
import type { CoverageCell } from '../../../src/ports/status.ts';
import type { RegisteredWorker } from '../../../src/ports/worker-register.ts';

const START = Date.UTC(2026, 0, 1);
const NOW = START + 60 * DAY_MS;

function stored(symbol: string, more: Partial<SeriesCoverage> = {}): SeriesCoverage {
  const hours = 60 * 24;
  const whole = { proven: hours, open: 0, gap: 0, unknown: 0, rows: 123_456_789 };
  const span = { startMs: START, endMs: NOW, provenToMs: NOW };
  return { market: 'binance_spot', symbol, ...span, ...whole, ...more };
}

/** @param scheduled symbols on the schedule */
async function look(
  coverage: readonly SeriesCoverage[],
  {
    columns = 80,
    scheduled = [] as string[],
    cells = [] as CoverageCell[],
    rules = [] as ScheduleRule[],
    hasTick = true,
    workers = [] as RegisteredWorker[],
  } = {},
): Promise<StatusFacts> {
  const deps: LookDeps = {
    ledger: { overview: async () => [...coverage] },
    catalogue: {
      all: async () =>
        coverage.map(({ market, symbol }) => ({
          market,
          symbol,
          originMs: START,
          scheduledFromMs: scheduled.includes(symbol) ? START : undefined,
          scheduledBy: undefined,
          contractSize: undefined,
          generation: 1,
        })),
    },
    rules: { all: async () => rules },
    queue: {
      counts: async () => [{ kind: 'slice', waiting: 1_200, active: 2, delayed: 0, failed: 1 }],
      running: async () => [
        {
          kind: 'slice',
          series: { market: 'binance_spot', symbol: 'BTCUSDT' },
          part: '2026-01-01T05',
          sinceMs: NOW - 90_000,
        },
      ],
      newestFailure: async () => ({
        kind: 'slice',
        atMs: NOW - HOUR_MS,
        reason: 'EXCHANGE_BAD_ANSWER: no JSON',
      }),
      hasTick: async () => hasTick,
    },
    governor: {
      state: async (market, egress) => ({
        usedWeight: egress === 'office' ? 56 : 1_234,
        windowMs: 60_000,
        weightLimit: market === 'binance_spot' ? 6_000 : 0,
        pause: undefined,
      }),
    },
    register: { all: async () => workers },
    config: { egress: 'default' },
    store: {
      health: async () => ({
        isSchemaCurrent: true,
        tables: [{ name: 'x', isSuspended: false, pendingTransactions: 3 }],
      }),
    },
    look: { coverageCells: async () => cells, tradeBytes: async () => [] },
    clock: { nowMs: () => NOW },
  };
  const bytes = new Map(coverage.map(({ symbol }) => [`binance_spot ${symbol}`, 5_000_000_000]));
  return lookAtAll(deps, stripCells(columns), bytes);
}

const plain = { rows: undefined, colours: false };

describe('what needs attention comes first', () => {
  test('gaps, then what is late, then unknown hours, then open ones', async () => {
    const facts = await look(
      [
        stored('A10'),
        stored('A9'),
        stored('OPEN', { open: 2 }),
        stored('UNKNOWN', { unknown: 7 }),
        stored('LATE', { provenToMs: NOW - 5 * HOUR_MS }),
        stored('USUAL', { provenToMs: NOW - 2 * HOUR_MS, open: 1 }),
        stored('GAP1', { gap: 1 }),
        stored('GAP2', { gap: 2 }),
      ],
      { scheduled: ['LATE', 'USUAL'] },
    );
    const order = facts.series.map(({ symbol }) => symbol);
    expect(order).toEqual(['GAP2', 'GAP1', 'LATE', 'UNKNOWN', 'OPEN', 'A9', 'A10', 'USUAL']);
    expect(statusScreen(facts, { ...plain, columns: 80 })[0]).toBe(
      '2026-03-02T00:00Z  8 series, 5 to look at',
    );
  });

  test('a cell of the strip shows its worst hour, and an hour without a row', async () => {
    const columns = 80;
    const cellHours = Math.ceil((60 * 24) / stripCells(columns));
    const cell = (index: number, counts: Partial<CoverageCell>): CoverageCell => ({
      market: 'binance_spot',
      symbol: 'A',
      index,
      proven: cellHours - 1,
      open: 0,
      gap: 0,
      ...counts,
    });
    const cells = [
      cell(0, { proven: cellHours }),
      cell(1, { gap: 1 }),
      cell(2, { open: 1 }),
      cell(3, {}),
    ];
    const { series } = await look([stored('A')], { columns, cells });
    expect(series[0]?.cells.slice(0, 5)).toEqual(['proven', 'gap', 'open', 'unknown', 'unknown']);
    const row = statusScreen(await look([stored('A')], { columns, cells }), {
      ...plain,
      columns,
    })[2];
    expect(row).toContain(' ━×~··');
  });
});

test.each([
  [80, 3],
  [80, 200],
  [120, 3],
  [120, 200],
  [70, 200],
])('at %i columns, %i series fit', async (columns, count) => {
  const coverage = Array.from({ length: count }, (_, index) =>
    stored(`COIN${index}USDT`, index % 50 === 0 ? { gap: 1 + index } : {}),
  );
  const facts = await look(coverage, { columns, scheduled: ['COIN1USDT'] });
  const rows = 24;
  const lines = statusScreen(facts, { columns, rows, colours: false });
  const table = lines.slice(0, lines.indexOf(''));
  expect(Math.max(...table.map((line) => line.length))).toBeLessThanOrEqual(columns);
  expect(lines.length).toBeLessThanOrEqual(rows);
  const all = statusScreen(facts, { columns, rows: undefined, colours: false });
  expect(all.filter((line) => line.startsWith('COIN'))).toHaveLength(count);
  const more = lines.filter((line) => line.startsWith('… and '));
  const shown = lines.filter((line) => line.startsWith('COIN')).length;
  expect(more).toEqual(shown < count ? [`… and ${count - shown} more, nothing to look at`] : []);
});

test('below the series are queue, running jobs, limit, schedule and store', async () => {
  const facts = await look([stored('BTCUSDT')], { scheduled: ['BTCUSDT'], hasTick: false });
  const lines = statusScreen(facts, { ...plain, columns: 80 });
  expect(lines.slice(lines.indexOf('') + 1)).toEqual([
    'queue: 2 running, 1,200 waiting, 1 failed; last failure 1h00m ago: EXCHANGE_BAD_ANSWER: no JSON',
    '  slice BTCUSDT (spot) 2026-01-01T05, for 1m30s',
    'exchange spot: weight 1,234 of 6,000 used in this window',
    'schedule: 1 series, at most 0s behind (BTCUSDT (spot))',
    expect.stringMatching(/^SCHEDULE LOST: /),
    'store: answers, 3 transactions are not visible yet',
  ]);
});

test('workers are listed by host, and weight by address when there are several', async () => {
  const one = { from: '10.0.0.1', isProxied: false, version: '1' };
  const workers: RegisteredWorker[] = [
    { ...one, host: 'alpha', pid: 7, egress: 'default', hours: 8 },
    {
      ...one,
      host: 'beta',
      pid: 8,
      egress: 'office',
      hours: [{ market: 'binance_spot', hours: 12, limit: 'weight' }],
    },
    { ...one, host: 'beta', pid: 9, egress: 'office', hours: [] },
    ...[1, 2, 3].map((pid) => ({ ...one, host: 'gamma', pid, egress: 'office', hours: 1 })),
  ];
  const lines = statusScreen(await look([stored('BTCUSDT')], { workers }), {
    ...plain,
    columns: 80,
  });
  expect(lines.slice(lines.indexOf('workers: 6 on 3 hosts'), -1)).toEqual([
    'workers: 6 on 3 hosts',
    '  alpha 7, address default: 8 hours at a time',
    '  beta 8, address office: spot 12 hours at a time, limited by the exchange’s limit',
    '  beta 9, address office',
    '  gamma 1, address office: 1 hour at a time',
    '  gamma 2, address office: 1 hour at a time',
    '  … and 1 more',
    'exchange spot, address default: weight 1,234 of 6,000 used in this window',
    'exchange spot, address office: weight 56 of 6,000 used in this window',
  ]);
});

test('an empty store says so', async () => {
  expect(statusScreen(await look([]), { ...plain, columns: 80 })).toContain(
    'nothing is stored yet',
  );
});
