import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBackup } from '../../../src/adapters/backup/backup-folder.ts';
import { copyIntoHome, findBackup } from '../../../src/adapters/backup/restore-home.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'cdvault-backup-'));
const root = path.join(folder, 'root');
const PASSWORD = 'Zm9yLXRoaXMtdGVzdC1vbmx5';
const NEVER = new AbortController().signal;

const MANIFEST = {
  version: '1.0.0',
  questdb: '9.3.4',
  migrations: ['01'],
  startedAtMs: 0,
  finishedAtMs: 1,
  files: 2,
  bytes: 2,
  series: [],
};

let backup: string;

beforeAll(async () => {
  for (const [name, text] of [
    ['db/trades/ts.d', 'a'],
    ['.checkpoint/db', 'b'],
    ['conf/server.conf', `pg.password=${PASSWORD}`],
    ['questdb.log', PASSWORD],
  ] as const) {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    writeFileSync(path.join(root, name), text);
  }
  const made = await openBackup(path.join(folder, 'backups'), root, 0);
  const { listSha256 } = await made.copy(NEVER, () => undefined);
  backup = await made.publish({ ...MANIFEST, listSha256 });
});

afterAll(() => rmSync(folder, { recursive: true }));

test('a backup has no configuration and no log of the server, where passwords are', () => {
  const files = readdirSync(backup, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
  expect(files.map((file) => path.relative(backup, file)).toSorted()).toEqual([
    'SHA256SUMS',
    'manifest.json',
    'questdb/.checkpoint/db',
    'questdb/db/trades/ts.d',
  ]);
  expect(files.filter((file) => readFileSync(file, 'utf8').includes(PASSWORD))).toEqual([]);
});

test('a backup that was made is restored', async () => {
  const home = path.join(folder, 'home');
  await copyIntoHome((await findBackup(backup)).folder, home, NEVER, () => undefined);
  expect(readFileSync(path.join(home, 'questdb/db/trades/ts.d'), 'utf8')).toBe('a');
});

test.each([
  'questdb/../../outside',
  '../outside',
  '/tmp/outside',
  'outside',
  'questdb/',
  'questdb/./x',
  'questdb//x',
])('a backup whose list names %s is broken: nothing is written there', async (name) => {
  const evil = mkdtempSync(path.join(folder, 'evil-'));
  const sha256 = createHash('sha256').update('x').digest('hex');
  const list = `${sha256}  ${name}\n`;
  writeFileSync(path.join(evil, 'SHA256SUMS'), list);
  const manifest = JSON.parse(readFileSync(path.join(backup, 'manifest.json'), 'utf8')) as object;
  const listSha256 = createHash('sha256').update(list).digest('hex');
  writeFileSync(path.join(evil, 'manifest.json'), JSON.stringify({ ...manifest, listSha256 }));
  await expect(findBackup(evil)).rejects.toMatchObject({ code: 'BACKUP_BROKEN' });
  await copyIntoHome(evil, path.join(evil, 'home'), NEVER, () => undefined).catch(() => undefined);
  expect(existsSync(path.join(evil, 'outside'))).toBe(false);
});
