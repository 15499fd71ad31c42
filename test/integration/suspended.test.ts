import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSql, type Sql } from '../../src/adapters/questdb/sql.ts';
import { devModeEnv, makeOwnServices, type OwnServices } from '../support/own-services.ts';

/** A suspended table is distinguished from other refusals of the server. */

let own: OwnServices;
let sql: Sql;
let reader: Sql;

beforeAll(async () => {
  own = await makeOwnServices(devModeEnv());
  const urls = await own.start();
  sql = createSql(urls.questdbPgUrl);
  reader = createSql(urls.questdbReadonlyPgUrl);
  for (const name of ['well', 'ill'])
    await sql.query(
      `CREATE TABLE ${name} (ts TIMESTAMP, v LONG) TIMESTAMP(ts) PARTITION BY DAY WAL`,
    );
  await sql.query('ALTER TABLE ill SUSPEND WAL');
});

afterAll(async () => {
  await sql.close();
  await reader.close();
  await own.dispose();
});

test('waiting for a suspended table fails with TABLE_SUSPENDED', async () => {
  await sql.query("INSERT INTO ill VALUES ('2024-01-01T00:00:00Z', 1)");
  await expect(sql.waitApplied('ill')).rejects.toMatchObject({ code: 'TABLE_SUSPENDED' });
});

test('other refusals are STORE_REFUSED, even when their message contains "table is suspended"', async () => {
  await expect(sql.query('SELECT nothing FROM well')).rejects.toMatchObject({
    code: 'STORE_REFUSED',
  });
  // The server repeats the name in its message.
  await expect(sql.query('SELECT * FROM "table is suspended"')).rejects.toMatchObject({
    code: 'STORE_REFUSED',
    message: expect.stringContaining('table is suspended') as string,
  });
  await expect(reader.query('CREATE TABLE x (a INT)')).rejects.toMatchObject({
    code: 'STORE_REFUSED',
  });
});
