import { expect, test } from 'vitest';
import { type ResumeFacts, whyNotResume } from '../../../src/app/doctor/resume.ts';

const GIB = 1024 ** 3;

const SAFE: ResumeFacts = {
  table: {
    name: 't',
    isOurs: true,
    isSuspended: true,
    pending: 2,
    nextTransaction: 8,
    errorTag: '',
    errorMessage: '',
  },
  disk: { freeBytes: 10 * GIB, totalBytes: 100 * GIB },
  limits: { openFiles: 10, mostOpenFiles: 1_000, maps: 10, mostMaps: 1_000 },
  isNextThere: true,
};

const FULL = { ...SAFE.table, errorTag: 'DISK FULL' };
const MESSAGE = { ...SAFE.table, errorMessage: 'could not write [errno=28]' };

test.each<[string, ResumeFacts]>([
  ['room, limits and the log are there', SAFE],
  ['the disk has room again', { ...SAFE, table: FULL }],
  [
    'nothing of the machine can be seen, and the cause was no disk',
    { ...SAFE, disk: undefined, limits: undefined, isNextThere: undefined },
  ],
])('a table is resumed when %s', (_, facts) => {
  expect(whyNotResume(facts)).toBeUndefined();
});

test.each<[string, ResumeFacts, RegExp, RegExp]>([
  [
    'it is not ours',
    { ...SAFE, table: { ...SAFE.table, isOurs: false } },
    /no table of cdvault/,
    /RESUME WAL/,
  ],
  [
    'the disk is full',
    { ...SAFE, disk: { freeBytes: GIB / 2, totalBytes: GIB } },
    /512\.0 MiB left/,
    /Free at least 1\.0 GiB/,
  ],
  [
    'the disk was full and cannot be seen',
    { ...SAFE, table: FULL, disk: undefined },
    /cannot be seen/,
    /Free disk space/,
  ],
  [
    'the system said so',
    { ...SAFE, table: MESSAGE, disk: undefined },
    /cannot be seen/,
    /Free disk space/,
  ],
  [
    'memory maps are used up',
    { ...SAFE, limits: { openFiles: 1, mostOpenFiles: 9, maps: 900, mostMaps: 1_000 } },
    /900 memory maps/,
    /max_map_count/,
  ],
  [
    'files are used up',
    { ...SAFE, limits: { openFiles: 900, mostOpenFiles: 1_000, maps: 1, mostMaps: 9 } },
    /900 files/,
    /ulimit/,
  ],
  [
    'the log of the next transaction is gone',
    { ...SAFE, isNextThere: false },
    /transaction 8 is gone/,
    /RESUME WAL FROM TXN 9, then run cdvault verify and cdvault repair/,
  ],
])('a table is not resumed when %s', (_, facts, why, cure) => {
  expect(whyNotResume(facts)?.why).toMatch(why);
  expect(whyNotResume(facts)?.cure).toMatch(cure);
});
