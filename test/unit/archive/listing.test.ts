import { expect, test } from 'vitest';
import { listFolder } from '../../../src/adapters/archive/listing.ts';
import { listingXml } from '../../exchange/archive-listing.ts';

const FOLDER = 'data/spot/daily/aggTrades/BTCUSDT/';
const RANGE = { startMs: Date.UTC(2024, 0, 2), endMs: Date.UTC(2024, 0, 20) };

function page(names: readonly string[], isTruncated = false): string {
  const keys = names.map((name) => ({ key: FOLDER + name, bytes: 7, etag: '"ab"' }));
  const xml = listingXml(new URLSearchParams({ prefix: FOLDER }), keys);
  return isTruncated ? xml.replace('>false<', '>true<') : xml;
}

const nameOf = (day: string) => `BTCUSDT-aggTrades-2024-01-${day}.zip`;

async function list(...pages: readonly string[]) {
  let asked = 0;
  const found = await listFolder(FOLDER, 'BTCUSDT-aggTrades-2024-01-02', RANGE, async () => {
    const xml = pages[Math.min(asked, pages.length - 1)];
    asked += 1;
    if (asked > 10) throw new Error('it asks for ever');
    return xml;
  });
  return [...(found?.values() ?? [])].map(({ name }) => name);
}

const UNREACHABLE = { code: 'ARCHIVE_UNREACHABLE' };

test('pages follow each other', async () => {
  const names = [nameOf('02'), nameOf('03'), nameOf('05')];
  expect(await list(page(names.slice(0, 2), true), page(names.slice(2)))).toEqual(names);
});

test('a host that ignores the marker is not asked for ever', async () => {
  await expect(list(page([nameOf('03')], true))).rejects.toMatchObject(UNREACHABLE);
});

test('keys before the marker, or in another order, are no answer', async () => {
  await expect(list(page([nameOf('01')]))).rejects.toMatchObject(UNREACHABLE);
  const swapped = page([nameOf('03'), nameOf('04')])
    .replace(nameOf('03'), 'X')
    .replace(nameOf('04'), nameOf('03'))
    .replace('X', nameOf('04'));
  await expect(list(swapped)).rejects.toMatchObject(UNREACHABLE);
});

test('keys of another folder are no answer; files of another symbol are not listed', async () => {
  const other = page([nameOf('03')]).replaceAll('/BTCUSDT/', '/ETHUSDT/');
  await expect(list(other)).rejects.toMatchObject(UNREACHABLE);
  const names = ['BTCUSDT-aggTrades-2024-01-03.zip', 'C/BTCUSDT-aggTrades-2024-01-04.zip'];
  expect(await list(page(names))).toEqual([names[0]]);
});

test('deep nesting ends at once', async () => {
  const startedMs = performance.now();
  const deep = '<a>'.repeat(500_000) + '</a>'.repeat(500_000);
  await expect(list(page([]).replace('</ListBucketResult>', deep))).rejects.toMatchObject(
    UNREACHABLE,
  );
  expect(performance.now() - startedMs).toBeLessThan(5_000);
});

test('a size beyond exact numbers is no answer', async () => {
  const xml = page([nameOf('03')]).replace('<Size>7<', `<Size>${'9'.repeat(30)}<`);
  await expect(list(xml)).rejects.toMatchObject(UNREACHABLE);
});
