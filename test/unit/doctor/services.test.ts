import { expect, test } from 'vitest';
import { bytesADay, disk, memoryMaps, openFiles } from '../../../src/app/doctor/machine.ts';
import {
  appendOnly,
  latency,
  memory,
  policy,
  redisVersion,
} from '../../../src/app/doctor/redis.ts';
import {
  commitMode,
  copyRoot,
  parquetSettings,
  serverVersion,
} from '../../../src/app/doctor/server.ts';
import { lag, schema, suspended, views } from '../../../src/app/doctor/tables.ts';
import type { RedisFacts, ServerFacts, WalTable } from '../../../src/ports/doctor.ts';
import { judged } from './verdict.ts';

const GIB = 1024 ** 3;

const REDIS: RedisFacts = {
  pingMs: 0.3,
  version: '7.2.4',
  policy: 'noeviction',
  isAppendOnly: true,
  usedBytes: GIB / 4,
  mostBytes: GIB,
  machineBytes: 8 * GIB,
};

function server(settings: Readonly<Record<string, string>>, version = '9.3.4'): ServerFacts {
  return {
    version,
    testedVersion: '9.3.4',
    isTooOld: version < '9.3.4',
    settings: new Map(Object.entries(settings)),
  };
}

const TABLE: WalTable = {
  name: 'agg_trades_spot_x_1',
  isOurs: true,
  isSuspended: false,
  pending: 0,
  nextTransaction: 8,
  errorTag: '',
  errorMessage: '',
};

const NO_PARQUET = { tables: 0, otherEncodings: [] };
const HEALTHY = { openFiles: 500, mostOpenFiles: 1_048_576, maps: 900, mostMaps: 1_048_576 };

judged([
  ['a quick Redis', latency(REDIS), 'ok', /0\.3 ms/],
  ['a slow Redis', latency({ ...REDIS, pingMs: 80 }), 'warn', /80 ms/, /near Redis/],
  ['Redis 7', redisVersion(REDIS), 'ok', /7\.2\.4/],
  ['Redis 6', redisVersion({ ...REDIS, version: '6.2.0' }), 'warn', /6\.2\.0/, /Redis 7 or later/],
  [
    'Redis that hides its version',
    redisVersion({ ...REDIS, version: undefined }),
    'warn',
    /not say/,
    /Redis 7/,
  ],
  ['noeviction', policy(REDIS), 'ok', /noeviction/],
  [
    'allkeys-lru',
    policy({ ...REDIS, policy: 'allkeys-lru' }),
    'fail',
    /allkeys-lru/,
    /CONFIG SET maxmemory-policy noeviction/,
  ],
  [
    'a policy that is not known',
    policy({ ...REDIS, policy: undefined }),
    'fail',
    /unknown/,
    /noeviction/,
  ],
  ['an append-only file', appendOnly(REDIS), 'ok', /on/],
  [
    'none',
    appendOnly({ ...REDIS, isAppendOnly: false }),
    'warn',
    /off/,
    /CONFIG SET appendonly yes/,
  ],
  ['a quarter of maxmemory', memory(REDIS), 'ok', /256\.0 MiB used of 1\.0 GiB \(maxmemory\)/],
  [
    'four fifths of maxmemory',
    memory({ ...REDIS, usedBytes: 0.8 * GIB }),
    'warn',
    /maxmemory/,
    /CONFIG SET maxmemory/,
  ],
  [
    'all of maxmemory',
    memory({ ...REDIS, usedBytes: GIB }),
    'fail',
    /refuses writes/,
    /CONFIG SET maxmemory/,
  ],
  [
    'most of the machine',
    memory({ ...REDIS, mostBytes: 0, usedBytes: 7 * GIB }),
    'warn',
    /the machine/,
    /bigkeys/,
  ],
  ['QuestDB 9.3.4', serverVersion(server({})), 'ok', /9\.3\.4/],
  [
    'QuestDB 9.9.0',
    serverVersion(server({}, '9.9.0')),
    'warn',
    /9\.9\.0 is not tested/,
    /Run QuestDB 9\.3\.4/,
  ],
  [
    'QuestDB 9.2.0',
    serverVersion(server({}, '9.2.0')),
    'fail',
    /9\.2\.0 is too old/,
    /Run QuestDB 9\.3\.4/,
  ],
  ['commit mode sync', commitMode(server({ 'cairo.commit.mode': 'sync' })), 'ok', /sync/],
  [
    'commit mode nosync',
    commitMode(server({ 'cairo.commit.mode': 'nosync' })),
    'warn',
    /power loss/,
    /cairo\.commit\.mode=sync/,
  ],
  ['no folder of COPY TO', copyRoot(server({ 'cairo.sql.copy.export.root': '' })), 'ok', /off/],
  [
    'a folder of COPY TO',
    copyRoot(server({ 'cairo.sql.copy.export.root': 'export' })),
    'warn',
    /write files/,
    /copy\.export\.root= /,
  ],
  ['default Parquet settings', parquetSettings(server({}), NO_PARQUET), 'ok', /0 tables/],
  [
    'other encodings',
    parquetSettings(server({}), { tables: 2, otherEncodings: ['t'] }),
    'warn',
    /columns of t/,
    /compact --undo/,
  ],
  [
    'no statistics',
    parquetSettings(
      server({ 'cairo.partition.encoder.parquet.statistics.enabled': 'false' }),
      NO_PARQUET,
    ),
    'warn',
    /statistics are off/,
    /statistics\.enabled=true/,
  ],
  ['no suspended table', suspended([TABLE]), 'ok', /none of 1 table/],
  [
    'a suspended table',
    suspended([{ ...TABLE, isSuspended: true, pending: 3, errorTag: 'DISK FULL' }]),
    'fail',
    /x_1: 3 transactions not visible \(DISK FULL\)/,
    /doctor --fix/,
  ],
  [
    'a suspended table of another program',
    suspended([{ ...TABLE, name: 'other', isOurs: false, isSuspended: true }]),
    'fail',
    /other/,
    /ALTER TABLE other RESUME WAL/,
  ],
  ['no lag', lag([TABLE]), 'ok', /0 transactions/],
  ['a little lag', lag([{ ...TABLE, pending: 7 }]), 'ok', /7 transactions of agg_trades_spot_x_1/],
  [
    'much lag',
    lag([TABLE, { ...TABLE, name: 'b', pending: 400 }]),
    'warn',
    /400 transactions of b/,
    /again/,
  ],
  ['valid views', views({ wanted: 30, missing: [], invalid: [] }), 'ok', /30 views, all valid/],
  [
    'a missing view',
    views({ wanted: 30, missing: ['cdv_1m'], invalid: [] }),
    'fail',
    /1 missing, 0 invalid: cdv_1m/,
    /doctor --fix/,
  ],
  [
    'an invalid view',
    views({ wanted: 30, missing: [], invalid: [{ name: 'v', reason: 'no base' }] }),
    'fail',
    /1 invalid: v \(no base\)/,
    /doctor --fix/,
  ],
  ['tables as recorded', schema({ compared: 20, wrong: [] }), 'ok', /20 tables/],
  [
    'a table without dedup',
    schema({
      compared: 20,
      wrong: [{ table: 't', kind: 'no_dedup', what: 'has no dedup keys', keys: ['ts', 'agg_id'] }],
    }),
    'fail',
    /t: has no dedup keys/,
    /ALTER TABLE t DEDUP ENABLE UPSERT KEYS\(ts, agg_id\)/,
  ],
  [
    'a table without WAL',
    schema({ compared: 20, wrong: [{ table: 't', kind: 'no_wal', what: 'has no WAL', keys: [] }] }),
    'fail',
    /no WAL/,
    /ALTER TABLE t SET TYPE WAL/,
  ],
  [
    'a dropped table',
    schema({
      compared: 20,
      wrong: [{ table: 't', kind: 'missing', what: 'is missing', keys: [] }],
    }),
    'fail',
    /t: is missing/,
    /backup/,
  ],
  [
    'other columns',
    schema({
      compared: 20,
      wrong: [
        { table: 't', kind: 'columns', what: 'unexpected x INT', keys: [] },
        { table: 'u', kind: 'columns', what: '', keys: [] },
      ],
    }),
    'fail',
    /unexpected x INT \(and 1 more\)/,
    /docs\/tables\.md/,
  ],
  [
    'a disk with room',
    disk({ freeBytes: 500 * GIB, totalBytes: 1000 * GIB }, undefined),
    'ok',
    /500\.0 GiB of 1000\.0 GiB free/,
  ],
  ['a disk that cannot be seen', disk(undefined, undefined), 'skipped', /cannot be seen/],
  [
    'a nearly full disk',
    disk({ freeBytes: 50 * GIB, totalBytes: 1000 * GIB }, undefined),
    'warn',
    /50\.0 GiB/,
    /compact/,
  ],
  [
    'a full disk',
    disk({ freeBytes: 0.5 * GIB, totalBytes: 2 * GIB }, undefined),
    'fail',
    /512\.0 MiB/,
    /Make room/,
  ],
  [
    'a disk that is full in 20 days',
    disk(
      { freeBytes: 20.5 * 81_950_000, totalBytes: 2 * GIB },
      { days: 2, trades: 2_842_105, hours: 2 },
    ),
    'warn',
    /full in 20 days/,
    /Make room/,
  ],
  [
    'limits that suffice',
    memoryMaps(HEALTHY, 200),
    'ok',
    /900 used of 1,048,576 memory maps; 200 series may need 50,400/,
  ],
  [
    'too few maps for the series',
    memoryMaps({ ...HEALTHY, mostMaps: 65_530 }, 300),
    'warn',
    /may need 75,600/,
    /vm\.max_map_count=1048576/,
  ],
  [
    'maps used up',
    memoryMaps({ ...HEALTHY, maps: 60_000, mostMaps: 65_530 }, 3),
    'fail',
    /60,000 used/,
    /vm\.max_map_count/,
  ],
  [
    'too few files for the series',
    openFiles({ ...HEALTHY, mostOpenFiles: 20_000 }, 200),
    'warn',
    /may need 50,400/,
    /ulimit -n/,
  ],
  ['limits that cannot be seen', openFiles(undefined, 3), 'skipped', /cannot be seen/],
]);

test('a day of growth is its trades and the bars of its series, as plan counts them', () => {
  expect(bytesADay({ days: 2, trades: 2_000_000, hours: 96 })).toBe(57_000_000 + 2 * 950_000);
});
