import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  exitCodeOf,
  type Check,
  fail,
  ok,
  skipped,
  type Verdict,
  warn,
} from '../../../src/app/doctor/check.ts';
import { access, clock, egressNames, weight } from '../../../src/app/doctor/exchange.ts';
import { dataSource } from '../../../src/app/doctor/grafana.ts';
import { nodeVersion } from '../../../src/app/doctor/node.ts';
import { failedJobs, schedule, stalledJobs, workers } from '../../../src/app/doctor/queue.ts';
import { migrations, seriesViews } from '../../../src/app/doctor/store.ts';
import type { StoredSeries } from '../../../src/ports/doctor.ts';
import type { QueueCounts } from '../../../src/ports/job-queue.ts';
import { judged } from './verdict.ts';

const SERIES: StoredSeries = { market: 'binance_spot', symbol: 'X', isScheduled: false };
const SCHEDULED: StoredSeries = { ...SERIES, isScheduled: true };
const NOTHING: QueueCounts = { kind: 'slice', waiting: 0, active: 0, delayed: 0, failed: 0 };
const WORKER = {
  host: 'alpha',
  pid: 1,
  egress: 'home',
  from: '192.0.2.1',
  isProxied: false,
  version: '1',
  hours: 8,
};
const ELSEWHERE = { host: 'beta', egress: 'office', from: '192.0.2.2' };
const STATE = { usedWeight: 100, weightLimit: 6_000, windowMs: 60_000, pause: undefined };
const NOW = Date.UTC(2026, 0, 1);
const APPLIED = { isStarted: true, known: 5, due: [], unknown: [] };

judged([
  ['Node 24', nodeVersion('24.1.0'), 'ok', /24\.1\.0/],
  ['Node 23', nodeVersion('23.4.0'), 'fail', /23\.4\.0 is not supported/, /Install Node\.js 24/],
  ['Node 22.21', nodeVersion('22.21.0'), 'fail', /22\.21/, /Install/],
  ['all migrations', migrations(APPLIED), 'ok', /all 5/],
  [
    'a new store',
    migrations({ ...APPLIED, isStarted: false, due: ['1'] }),
    'warn',
    /no tables yet/,
    /cdvault migrate/,
  ],
  [
    'a migration that is due',
    migrations({ ...APPLIED, due: ['06_x.sql'] }),
    'warn',
    /06_x\.sql/,
    /cdvault migrate/,
  ],
  [
    'an unknown migration',
    migrations({ ...APPLIED, unknown: ['99_x.sql'] }),
    'fail',
    /99_x\.sql/,
    /release that made it/,
  ],
  ['current views of series', seriesViews(0), 'ok', /current/],
  ['views of series that are due', seriesViews(2), 'warn', /2 statements/, /cdvault migrate/],
  ['no failed job', failedJobs([NOTHING], undefined), 'ok', /none/],
  [
    'failed jobs',
    failedJobs([{ ...NOTHING, failed: 2 }], {
      kind: 'slice',
      atMs: 1,
      reason: 'RETENTION: too old',
    }),
    'warn',
    /2 jobs, the newest a slice job: RETENTION/,
    /doctor --fix forgets/,
  ],
  ['no stalled job', stalledJobs([], 0), 'ok', /none/],
  [
    'a stalled job and no worker',
    stalledJobs(['a'], 0),
    'warn',
    /the worker of 1 job is lost/,
    /cdvault worker/,
  ],
  [
    'a stalled job and a worker',
    stalledJobs(['a'], 1),
    'warn',
    /the worker of 1 job is lost/,
    /half a minute/,
  ],
  [
    'no schedule',
    schedule({ series: [SERIES], rules: [], hasTick: false }),
    'ok',
    /no series is scheduled/,
  ],
  [
    'a schedule with its tick',
    schedule({ series: [SCHEDULED], rules: [], hasTick: true }),
    'ok',
    /queued/,
  ],
  [
    'a schedule without',
    schedule({ series: [SCHEDULED, SERIES], rules: [], hasTick: false }),
    'fail',
    /of 1 scheduled series is lost/,
    /doctor --fix/,
  ],
  [
    'nothing to do and no worker',
    workers([NOTHING], 0, [SERIES]),
    'ok',
    /0 jobs waiting, 0 workers/,
  ],
  [
    'work and no worker',
    workers([{ ...NOTHING, waiting: 4 }], 0, [SERIES]),
    'warn',
    /4 jobs waiting, 0 workers/,
    /cdvault worker/,
  ],
  [
    'a schedule and no worker',
    workers([NOTHING], 0, [SCHEDULED]),
    'warn',
    /stands still/,
    /cdvault worker/,
  ],
  ['work and a worker', workers([{ ...NOTHING, waiting: 4 }], 1, [SCHEDULED]), 'ok', /1 worker/],
  ['a Redis that hides its clients', workers([NOTHING], undefined, []), 'skipped', /does not list/],
  ['a right clock', clock({ offsetMs: -200, uncertaintyMs: 20 }), 'ok', /200 ms ahead/],
  [
    'a clock within the uncertainty',
    clock({ offsetMs: 1_400, uncertaintyMs: 500 }),
    'ok',
    /1\.4 s behind/,
  ],
  [
    'a clock that is 5 s behind',
    clock({ offsetMs: 5_000, uncertaintyMs: 20 }),
    'warn',
    /5\.0 s behind/,
    /set-ntp true/,
  ],
  [
    'a clock that is 5 min ahead',
    clock({ offsetMs: -300_000, uncertaintyMs: 20 }),
    'fail',
    /5 min ahead/,
    /set-ntp true/,
  ],
  ['no pause', access(undefined, NOW - 1, NOW), 'ok', /no ban/],
  [
    'a ban that Redis has forgotten',
    access(undefined, NOW + 60_000, NOW),
    'fail',
    /banned until 2026-01-01T00:01:00Z/,
    /Wait until then/,
  ],
  [
    'a rate limit',
    access({ reason: 'rate_limited', untilMs: NOW + 1 }, 0, NOW),
    'warn',
    /rate limited/,
    /CDVAULT_WEIGHT_SHARE/,
  ],
  [
    'a block',
    access({ reason: 'blocked', untilMs: NOW + 1 }, 0, NOW),
    'fail',
    /blocked/,
    /other programs/,
  ],
  [
    'a restriction',
    access({ reason: 'restricted', untilMs: NOW + 1 }, 0, NOW),
    'fail',
    /restricted/,
    /data-api\.binance\.vision/,
  ],
  ['little weight', weight(STATE), 'ok', /100 of 6,000/],
  [
    'much weight',
    weight({ ...STATE, usedWeight: 5_900 }),
    'warn',
    /5,900 of 6,000/,
    /CDVAULT_WEIGHT_SHARE/,
  ],
  [
    'weight of two addresses',
    weight(STATE, [{ ...STATE, egress: 'office', usedWeight: 250 }]),
    'ok',
    /^100 of 6,000 used in this window, 250 at the address office$/,
  ],
  [
    'much weight at another address',
    weight(STATE, [{ ...STATE, egress: 'office', usedWeight: 5_900 }]),
    'warn',
    /5,900 at the address office/,
    /CDVAULT_WEIGHT_SHARE/,
  ],
  ['no registered worker', egressNames([]), 'ok', /no worker/],
  [
    'a name for each address',
    egressNames([WORKER, { ...WORKER, pid: 2 }, { ...WORKER, ...ELSEWHERE }]),
    'ok',
    /^home, office$/,
  ],
  [
    'two names on one host',
    egressNames([WORKER, { ...WORKER, egress: 'office' }]),
    'warn',
    /workers at alpha call their address home and office/,
    /same CDVAULT_EGRESS/,
  ],
  [
    'two names behind one address',
    egressNames([WORKER, { ...WORKER, ...ELSEWHERE, from: WORKER.from }]),
    'warn',
    /workers at 192\.0\.2\.1 call/,
    /same CDVAULT_EGRESS/,
  ],
  [
    'two names behind a relay on the machine of Redis',
    egressNames([
      { ...WORKER, from: '127.0.0.1' },
      { ...WORKER, ...ELSEWHERE, from: '127.0.0.1' },
    ]),
    'ok',
    /^home, office$/,
  ],
  [
    'two names on one host, each with its proxy',
    egressNames(
      [WORKER, { ...WORKER, egress: 'office' }].map((one) => ({ ...one, isProxied: true })),
    ),
    'ok',
    /^home, office$/,
  ],
  ['an unknown limit', weight({ ...STATE, weightLimit: 0 }), 'skipped', /not known/],
  [
    'a data source',
    dataSource({ version: '12', dataSource: { isFound: true, answers: true, message: '' } }),
    'ok',
    /present/,
  ],
  [
    'a data source without QuestDB',
    dataSource({
      version: '12',
      dataSource: { isFound: true, answers: false, message: 'refused' },
    }),
    'fail',
    /refused/,
    /questdb\.yml/,
  ],
  [
    'no data source',
    dataSource({ version: '12', dataSource: { isFound: false, status: 404 } }),
    'fail',
    /not found/,
    /docs\/grafana\.md/,
  ],
  [
    'no login',
    dataSource({ version: '12', dataSource: { isFound: false, status: 401 } }),
    'fail',
    /refuses/,
    /CDVAULT_GRAFANA_TOKEN/,
  ],
]);

test('Node is supported as package.json says', () => {
  const { engines } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    engines: { node: string };
  };
  expect(engines.node).toBe('>=22.22.0 <23 || ^24 || >=26');
  const supported = ['22.22.0', '22.30.1', '24.0.0', '26.0.0', '27.1.0'];
  const not = ['20.0.0', '22.21.9', '23.0.0', '25.1.0'];
  expect([...supported, ...not].filter((version) => nodeVersion(version).state === 'ok')).toEqual(
    supported,
  );
});

test('exit code: 0 with warnings, 5 when a service is away, 7 for other failures', () => {
  const check = (verdict: Verdict): Check => ({ group: 'Redis', name: 'x', ...verdict });
  const away = check(fail('', '', {}, 'STORE_UNREACHABLE'));
  const wrong = check(fail('', '', {}, 'TABLE_SUSPENDED'));
  expect(exitCodeOf([check(ok('')), check(warn('', '')), check(skipped(''))])).toBe(0);
  expect(exitCodeOf([check(ok('')), away, wrong])).toBe(5);
  expect(exitCodeOf([wrong])).toBe(7);
  expect(exitCodeOf([check(fail('', ''))])).toBe(7);
});
