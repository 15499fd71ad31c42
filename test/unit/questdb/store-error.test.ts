import pg from 'pg';
import { expect, test } from 'vitest';
import { CdvaultError } from '../../../src/domain/errors.ts';
import { waitFor } from '../../../src/adapters/questdb/sql.ts';
import { storeError } from '../../../src/adapters/questdb/store-error.ts';

const refusal = (message: string) => new pg.DatabaseError(message, message.length, 'error');

test('a server without memory maps is an outage, and the advice says what to set', async () => {
  const error = refusal('[12] could not mmap  [size=792, offset=0, fd=1, memUsed=1, fileLen=792]');
  const found = await storeError(error, 'SELECT 1', async () => Promise.resolve([]));
  expect(found.code).toBe('STORE_UNREACHABLE');
  expect(found.advice).toContain('vm.max_map_count=1048576');
});

test('any other answer of the server is a refusal', async () => {
  const found = await storeError(refusal('unknown column'), 'SELECT 1', async () =>
    Promise.resolve([]),
  );
  expect(found.code).toBe('STORE_REFUSED');
});

test('a wait for a suspended table says so by itself, whatever the list of suspended tables says', async () => {
  const error = refusal('table is suspended [tableName=t]');
  const unlisted = async () => Promise.resolve([]);
  expect((await storeError(error, "SELECT wait_wal_table('t')", unlisted)).code).toBe(
    'TABLE_SUSPENDED',
  );
  // Another statement may quote such a text.
  expect((await storeError(error, 'SELECT 1', unlisted)).code).toBe('STORE_REFUSED');
});

test('a wait for a table that another process is making goes on until it is made', async () => {
  const cause = refusal('table name is reserved [table=t]');
  let asked = 0;
  const wait = waitFor(async () => {
    asked += 1;
    if (asked < 3) throw new CdvaultError('STORE_REFUSED', 'QuestDB refused', { cause });
    return Promise.resolve([]);
  }, 't');
  await wait();
  expect(asked).toBe(3);
});

test('a wait fails with any other refusal at once', async () => {
  const cause = refusal('table does not exist [table=t]');
  let asked = 0;
  const wait = waitFor(async () => {
    asked += 1;
    throw new CdvaultError('STORE_REFUSED', 'QuestDB refused', { cause });
  }, 't');
  await expect(wait()).rejects.toMatchObject({ code: 'STORE_REFUSED' });
  expect(asked).toBe(1);
});
