import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSql, type Sql } from '../../src/adapters/questdb/sql.ts';
import { devModeEnv, makeOwnServices, type OwnServices } from '../support/own-services.ts';

/** How a table that the server has suspended is told from other refusals. */

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

test('what waits for a suspended table is told so', async () => {
  await sql.query("INSERT INTO ill VALUES ('2024-01-01T00:00:00Z', 1)");
  await expect(sql.waitApplied('ill')).rejects.toMatchObject({ code: 'TABLE_SUSPENDED' });
});

test('other tables and other words are refused for what they are', async () => {
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
