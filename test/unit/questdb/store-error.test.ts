import pg from 'pg';
import { expect, test } from 'vitest';
import { storeError } from '../../../src/adapters/questdb/sql.ts';

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
