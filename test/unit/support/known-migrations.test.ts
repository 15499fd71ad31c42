import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { changedMigrations, noteMigrations } from '../../support/known-migrations.ts';

let folder: string;
let record: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'cdvault-migrations-'));
  record = path.join(folder, 'noted.json');
  await writeFile(path.join(folder, '0001_a.sql'), 'CREATE TABLE a (n LONG);\n');
  await writeFile(path.join(folder, '0002_b.sql'), 'CREATE TABLE b (n LONG);\n');
});

afterEach(async () => rm(folder, { recursive: true, force: true }));

test('a store without a record has unknown migrations', async () => {
  expect(await changedMigrations(record, folder)).toBeUndefined();
});

test('a migration that was edited or deleted is named', async () => {
  await noteMigrations(record, folder);
  expect(await changedMigrations(record, folder)).toEqual([]);
  await writeFile(path.join(folder, '0001_a.sql'), 'CREATE TABLE a (n INT);\n');
  await rm(path.join(folder, '0002_b.sql'));
  expect(await changedMigrations(record, folder)).toEqual(['0001_a.sql', '0002_b.sql']);
});

test('a new migration is not among them', async () => {
  await noteMigrations(record, folder);
  await writeFile(path.join(folder, '0003_c.sql'), 'CREATE TABLE c (n LONG);\n');
  expect(await changedMigrations(record, folder)).toEqual([]);
});
