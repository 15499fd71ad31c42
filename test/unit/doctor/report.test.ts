import { expect, test } from 'vitest';
import type { Check } from '../../../src/app/doctor/check.ts';
import { doctorLines, fixLines } from '../../../src/cli/print/doctor-report.ts';

const CHECKS: readonly Check[] = [
  { group: 'Redis', name: 'answers', state: 'ok', fact: '127.0.0.1:6379', figures: {} },
  {
    group: 'Redis',
    name: 'append-only',
    state: 'warn',
    fact: 'off',
    cure: 'redis-cli CONFIG SET appendonly yes',
    figures: {},
  },
  {
    group: 'QuestDB',
    name: 'tables',
    state: 'fail',
    fact: 'agg_trades_spot_btcusdt_1: has no dedup keys, rows may repeat, and two more words',
    cure: 'ALTER TABLE agg_trades_spot_btcusdt_1 DEDUP ENABLE UPSERT KEYS(ts, agg_id)',
    figures: {},
  },
  { group: 'store', name: 'series', state: 'skipped', fact: 'skipped', figures: {} },
];

test('one line a check below its group, the cure below it, and the counts at the end', () => {
  expect(doctorLines(CHECKS).join('\n')).toBe(
    `Redis
  OK    answers      127.0.0.1:6379
  WARN  append-only  off
        > redis-cli CONFIG SET appendonly yes
QuestDB
  FAIL  tables       agg_trades_spot_btcusdt_1: has no dedup keys, rows may
                     repeat, and two more words
        > ALTER TABLE agg_trades_spot_btcusdt_1 DEDUP ENABLE UPSERT KEYS(ts,
          agg_id)
store
  -     series       skipped

1 check skipped
1 ok, 1 warning, 1 failure`,
  );
});

test('no line is longer than 80 columns', () => {
  const long = 'word '.repeat(60);
  const checks = CHECKS.map((check) => ({ ...check, fact: long, cure: long }));
  for (const line of doctorLines(checks)) expect(line.length).toBeLessThanOrEqual(80);
});

test('what was fixed, and what was not and why', () => {
  expect(
    fixLines([
      { what: 'failed', state: 'done', fact: '3 failed jobs forgotten' },
      { what: 'suspended t', state: 'refused', fact: 'its disk is full', cure: 'Free some' },
    ]),
  ).toEqual([
    'fixed: failed: 3 failed jobs forgotten',
    'not fixed: suspended t: its disk is full',
    '  > Free some',
  ]);
  expect(fixLines([])).toEqual(['nothing to fix that has a safe cure']);
});
