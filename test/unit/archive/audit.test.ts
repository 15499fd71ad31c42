import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createArchiveReader } from '../../../src/adapters/archive/archive-reader.ts';
import { auditFile, auditTogether, type FileAudit } from '../../../src/app/verify/audit-files.ts';
import { parseArchiveName } from '../../../src/domain/archive/archive-name.ts';
import { runCli } from '../../support/command-line.ts';
import { zipOf } from '../../exchange/zip-writer.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'cdvault-audit-'));
});

afterEach(async () => rm(folder, { recursive: true, force: true }));

const DAY = Date.UTC(2024, 2, 5);
const COUNT = 1_440;
const HEADER =
  'agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker';
/** The byte order mark of UTF-8 text. */
const BOM = '\u{FEFF}';

/** One trade a minute, as the exchange's spot files have them. */
function lines(firstId = 5_000, dayMs = DAY, count = COUNT): string[] {
  return Array.from({ length: count }, (_, index) => {
    const id = firstId + index;
    return `${id},42000.10000000,0.00${(index % 9) + 1}00000,${2 * id},${2 * id + 1},${dayMs + index * 60_000},${index % 2 === 0 ? 'True' : 'False'},True`;
  });
}

const text = (rows: readonly string[]) => Buffer.from(`${rows.join('\n')}\n`);

async function put(
  rows: readonly string[] | Buffer,
  stem = 'TESTUSDT-aggTrades-2024-03-05',
): Promise<string> {
  const content = Buffer.isBuffer(rows)
    ? rows
    : zipOf({ name: `${stem}.csv`, content: text(rows) });
  const file = path.join(folder, `${stem}.zip`);
  await writeFile(file, content);
  return file;
}

async function audit(file: string): Promise<FileAudit> {
  const name = parseArchiveName(path.basename(file));
  if (name === undefined) throw new Error(`no archive name: ${file}`);
  return auditFile(createArchiveReader(), file, name);
}

const seamsOf = (files: readonly FileAudit[]) => auditTogether(files).between;

async function problemsOf(
  rows: readonly string[] | Buffer,
  stem?: string,
): Promise<readonly string[]> {
  return auditTogether([await audit(await put(rows, stem))]).files[0]?.problems ?? [];
}

test('a complete file: rows, ids and format, no problems and no notes', async () => {
  expect(await audit(await put(lines()))).toMatchObject({
    symbol: 'TESTUSDT',
    problems: [],
    notes: [],
    content: { rows: COUNT, firstId: 5_000, lastId: 5_000 + COUNT - 1, missingIds: 0 },
    facts: { checksum: 'absent', format: '8 columns, ms' },
  });
});

describe('a problem of one file', () => {
  test('a row is missing', async () => {
    expect(await problemsOf(lines().toSpliced(700, 1))).toEqual(['1 id is missing: 5700']);
  });

  test('a row appears twice', async () => {
    const rows = lines();
    expect(await problemsOf(rows.toSpliced(700, 0, rows[699] ?? ''))).toEqual([
      '1 rows repeat an id',
    ]);
  });

  test('the whole file appears twice', async () => {
    expect(await problemsOf([...lines(), ...lines()])).toEqual([`${COUNT} rows repeat an id`]);
  });

  test('two interleaved streams: only a note, since no id is missing', async () => {
    const rows = lines();
    const mixed = rows
      .filter((_, index) => index % 2 === 0)
      .concat(rows.filter((_, index) => index % 2 === 1));
    const { problems, notes } = await audit(await put(mixed));
    expect(problems).toEqual([]);
    expect(notes[0]).toBe('1 rows are not in id order');
  });

  test('cut at 09:29, with a valid checksum', async () => {
    const everyTwoSeconds = Array.from({ length: 570 * 30 }, (_, index) =>
      [
        5_000 + index,
        '1.00000000',
        '2.00000000',
        index,
        index,
        DAY + index * 2_000,
        'True',
        'True',
      ].join(','),
    );
    const file = await put(everyTwoSeconds);
    const sha256 = (await audit(file)).facts?.sha256 ?? '';
    await writeFile(`${file}.CHECKSUM`, `${sha256}  ${path.basename(file)}`);
    const audited = await audit(file);
    expect(audited.facts?.checksum).toBe('equal');
    expect(auditTogether([audited]).files[0]?.problems).toEqual([
      'it ends at 2024-03-05T09:29:58Z and may be cut',
    ]);
  });

  test('a checksum of another file; the right one is accepted in each of its forms', async () => {
    const file = await put(lines());
    const sha256 = (await audit(file)).facts?.sha256 ?? '';
    const name = path.basename(file);
    for (const good of [
      `${sha256}  ${name}`,
      `${sha256} ${name}\n`,
      `${sha256.toUpperCase()}  ${name}\r\n`,
    ]) {
      await writeFile(`${file}.CHECKSUM`, good);
      expect((await audit(file)).problems).toEqual([]);
    }
    const other = createHash('sha256').update('other').digest('hex');
    for (const bad of [`${other}  ${name}`, `${sha256}  OTHER.zip`, '<html>']) {
      await writeFile(`${file}.CHECKSUM`, bad);
      expect((await audit(file)).problems).toEqual(['its SHA-256 differs from its .CHECKSUM file']);
    }
  });

  test('rows of another day', async () => {
    expect(await problemsOf(lines(5_000, DAY + 60_000))).toEqual([
      '1 row has a wrong date: id 6439 is dated 2024-03-06T00:00:00.000Z and lies among trades of 2024-03-05T23:59:00.000Z',
    ]);
  });

  test('no rows at all', async () => {
    expect(
      await problemsOf(
        Buffer.from(zipOf({ name: 'TESTUSDT-aggTrades-2024-03-05.csv', content: Buffer.alloc(0) })),
      ),
    ).toEqual(['it contains no trades']);
  });

  test.each([
    ['cut short', (zip: Buffer) => zip.subarray(0, zip.length / 2), /not a readable zip file/],
    [
      'not a zip file',
      () => Buffer.from('<?xml version="1.0"?><Error>'),
      /not a readable zip file/,
    ],
  ])('an archive that is %s', async (_, spoil, words) => {
    const stem = 'TESTUSDT-aggTrades-2024-03-05';
    const [problem] = await problemsOf(
      spoil(zipOf({ name: `${stem}.csv`, content: text(lines()) })),
    );
    expect(problem).toMatch(/^ARCHIVE_BAD_FILE after 0 rows: /);
    expect(problem).toMatch(words);
  });

  test.each([
    ['a wrong CRC', [{ crc: 1 }], /its CRC is not that of its content/],
    ['a wrong length', [{ bytes: 12 }], /holds more than its directory says/],
    ['another name', [{ name: 'OTHER.csv' }], /it holds "OTHER.csv" instead of/],
    ['a name that climbs', [{ name: '../x.csv' }], /its directory cannot be read/],
    ['a length above its own', [{ bytes: 120_000 }], /holds less than its directory says/],
    ['a bomb', [{ bytes: 2 ** 32 - 2 }], /it unzips to more than 200 times its size/],
    [
      'a bomb that is one',
      [{ content: Buffer.alloc(1e6, '0') }],
      /it unzips to more than 200 times/,
    ],
    ['two files', [{}, { name: 'second.csv' }], /it holds more than one file/],
  ])('a zip file with %s', async (_, entries, words) => {
    const name = 'TESTUSDT-aggTrades-2024-03-05.csv';
    const zip = zipOf(...entries.map((entry) => ({ name, content: text(lines()), ...entry })));
    const [problem] = await problemsOf(zip);
    expect(problem).toMatch(/^ARCHIVE_BAD_FILE /);
    expect(problem).toMatch(words);
  });

  test.each([
    ['', '\n'],
    [' without an end', ''],
  ])('a line of more than 1,000 bytes%s', async (_, end) => {
    const long = `1,2.0,3.0,4,5,1709596800000,True,${'x'.repeat(1_000)}${end}`;
    const zip = zipOf({
      name: 'TESTUSDT-aggTrades-2024-03-05.csv',
      content: Buffer.concat([text(lines()), Buffer.from(long)]),
    });
    const [problem] = await problemsOf(zip);
    expect(problem).toMatch(
      /^ARCHIVE_BAD_ROW .* line 1441: it is longer than 1000 bytes: "1,2\.0,/,
    );
    expect(problem?.length).toBeLessThan(400);
  });

  test('a zip file without a header in front of its content', async () => {
    const zip = zipOf({ name: 'TESTUSDT-aggTrades-2024-03-05.csv', content: text(lines()) });
    zip.writeUInt32LE(0, 0);
    const [problem] = await problemsOf(zip);
    expect(problem).toMatch(/^ARCHIVE_BAD_FILE .*its content is not where its directory says/);
  });

  test.each([
    ['nine columns', '1,2.0,3.0,4,5,1709596800000,True,True,x', 'it has 9 columns, not 8'],
    ['six columns', '1,2.0,3.0,4,5,1709596800000', 'it has 6 columns'],
    ['a negative id', '-1,2.0,3.0,4,5,1709596800000,True,True', 'agg_trade_id "-1" is negative'],
    [
      'a negative zero',
      '1,2.0,3.0,-0,5,1709596800000,True,True',
      'first_trade_id "-0" is negative',
    ],
    ['a negative time', '1,2.0,3.0,4,5,-1,True,True', 'transact_time "-1" is negative'],
    [
      'a number with an exponent',
      '1,2e4,3.0,4,5,1709596800000,True,True',
      'price "2e4" is not a decimal with up to eight places',
    ],
    [
      'a quantity with a sign',
      '1,2.0,-3.0,4,5,1709596800000,True,True',
      'quantity "-3.0" is not a decimal with up to eight places',
    ],
    [
      'a raw id in quotes',
      '1,2.0,3.0,4,"5",1709596800000,True,True',
      'last_trade_id "\\"5\\"" is not an integer below 2^53',
    ],
    [
      'another boolean',
      '1,2.0,3.0,4,5,1709596800000,yes,True',
      'is_buyer_maker "yes" is neither true nor false',
    ],
    [
      'text after a boolean',
      '1,2.0,3.0,4,5,1709596800000,Trueish,True',
      'is_buyer_maker "Trueish" is neither true nor false',
    ],
    [
      'no id',
      ',2.0,3.0,4,5,1709596800000,True,True',
      'agg_trade_id "" is not an integer below 2^53',
    ],
    [
      'another unit of time',
      '6440,2.0,3.0,4,5,1709596800000000,True,True',
      'transact_time "1709596800000000" is in another unit than the rows before',
    ],
  ])('a row with %s is refused; the error names line and field', async (_, bad, why) => {
    const [problem] = await problemsOf([...lines(), bad]);
    const place = 'TESTUSDT-aggTrades-2024-03-05.zip line 1441';
    expect(problem).toMatch(/^ARCHIVE_BAD_ROW after \d+ rows: /);
    expect(problem).toContain(`${place}: ${why}: ${JSON.stringify(bad)}`);
  });

  test.each([
    ['an unknown header', 'id,price,qty', 'agg_trade_id "id" is not an integer below 2^53'],
    ['a header in the middle', HEADER, 'agg_trade_id "agg_trade_id" is not an integer below 2^53'],
    ['a byte order mark in the middle', '\u{FEFF}6440,1.0', 'agg_trade_id "\u{FEFF}6440" is'],
    [
      'a first row that begins with a space',
      ' 5000,1.0',
      'agg_trade_id " 5000" is not an integer below 2^53',
    ],
  ])('%s is refused: it may be a lost trade', async (name, line, why) => {
    const columns = [...line.split(','), '1', '1', '1', '1709596800000', 'True', 'True'];
    const bad = [...columns.slice(0, 2), ...columns.slice(-6)].join(',');
    const rows = name.endsWith('middle') ? [...lines(), bad] : [bad, ...lines()];
    const [problem] = await problemsOf(rows);
    expect(problem).toContain(why);
  });
});

test.each([
  [
    'a header, seven columns, true and false',
    (rows: string[]) => [HEADER, ...rows.map((row) => row.replace(/,True$/, '').toLowerCase())],
    '7 columns, ms, header',
  ],
  [
    'microseconds',
    (rows: string[]) => rows.map((row) => row.replace(/,(\d{13}),/, ',$1000,')),
    '8 columns, us',
  ],
  ['CRLF and no line end at the end', (rows: string[]) => [rows.join('\r\n')], '8 columns, ms'],
  ['a byte order mark and no header', (rows: string[]) => [BOM + rows.join('\n')], '8 columns, ms'],
  [
    'a byte order mark, a header and CRLF',
    (rows: string[]) => [BOM + [`${HEADER},is_best_match`, ...rows].join('\r\n')],
    '8 columns, ms, header',
  ],
  [
    'a header in quotes',
    (rows: string[]) => [HEADER.replaceAll(/\w+/g, '"$&"'), ...rows],
    '8 columns, ms, header',
  ],
  [
    'empty lines before, between and after the rows',
    (rows: string[]) => ['', '\r', ...rows.slice(0, 5), '', ...rows.slice(5), '', '\r'],
    '8 columns, ms',
  ],
  [
    'a byte order mark, empty lines and a header',
    (rows: string[]) => [`${BOM}\r`, '', HEADER, ...rows],
    '8 columns, ms, header',
  ],
])('%s: the file is read correctly', async (_, write, format) => {
  const { problems, facts, content } = await audit(await put(write(lines())));
  expect(problems).toEqual([]);
  expect(facts?.format).toBe(format);
  expect(content).toMatchObject({ rows: COUNT, firstId: 5_000, lastId: 5_000 + COUNT - 1 });
});

test('between files: missing ids, overlapping ids, days without a file', async () => {
  const next = (firstId: number, day = '06') =>
    put(lines(firstId, Date.UTC(2024, 2, Number(day))), `TESTUSDT-aggTrades-2024-03-${day}`);
  const first = await audit(await put(lines()));
  expect(seamsOf([await audit(await next(5_000 + COUNT)), first])).toEqual([]);
  expect(seamsOf([first, await audit(await next(5_000 + COUNT + 10))])).toEqual([
    'between TESTUSDT-aggTrades-2024-03-05 and TESTUSDT-aggTrades-2024-03-06 10 ids are missing: 6440 to 6449',
  ]);
  expect(seamsOf([first, await audit(await next(5_000 + COUNT - 1))])[0]).toMatch(
    /ids overlap: 6439 to 6439/,
  );
  // A day without a file had no trades when the ids before and after it are consecutive.
  expect(seamsOf([first, await audit(await next(5_000 + COUNT, '08'))])).toEqual([]);
  expect(seamsOf([first, await audit(await next(9_000, '08'))])[0]).toMatch(
    /2560 ids are missing: .*, 2 days without a file$/,
  );
});

describe('a monthly file', () => {
  const STEM = 'TESTUSDT-aggTrades-2023-02';
  const FEBRUARY = Date.UTC(2023, 1, 1);
  const HOUR = 3_600_000;

  /** One trade an hour for 28 days, ids from 100. */
  function hourly(isThere: (day: number) => boolean = () => true, renumbered = false): string[] {
    const times = Array.from({ length: 28 * 24 }, (_, index) => index)
      .filter((index) => renumbered || isThere(Math.floor(index / 24) + 1))
      .map((index) => [100 + index, FEBRUARY + 1_000 + index * HOUR] as const);
    const kept = renumbered
      ? times.filter(([, timeMs]) => isThere(new Date(timeMs).getUTCDate()))
      : times;
    return kept.map(
      ([id, timeMs], index) =>
        `${renumbered ? 100 + index : id},1.0,1.0,${id},${id},${timeMs},True,True`,
    );
  }

  async function problems(rows: readonly string[]): Promise<readonly string[]> {
    return problemsOf(rows, STEM);
  }

  test('with a row that is dated ten days early: the row is named with id and time', async () => {
    const rows = hourly().map((row) => {
      const [id, ...fields] = row.split(',');
      if (id !== '400') return row;
      return [id, ...fields.with(4, String(Number(fields[4]) - 240 * HOUR))].join(',');
    });
    expect(await problems(rows)).toEqual([
      '1 id is missing: 400',
      '1 row has a wrong date: id 400 is dated 2023-02-03T12:00:01.000Z and lies among trades of 2023-02-13T11:00:01.000Z',
    ]);
    const run = await runCli(['audit', folder], { env: {} });
    expect(run.stdout).toContain('id 400 is dated 2023-02-03T12:00:01.000Z');
    expect(run.exitCode).toBe(3);
  });

  test('without its last or its first days: nothing proves that there were no trades then', async () => {
    expect(await problems(hourly((day) => day <= 25))).toEqual([
      'it ends at 2023-02-25T23:00:01Z and may be cut',
    ]);
    expect(await problems(hourly((day) => day >= 4))).toEqual([
      'it starts at 2023-02-04T00:00:01Z and may be cut',
    ]);
  });

  test('without days in between: ids are missing, unless those before and after are consecutive', async () => {
    const isThere = (day: number) => day < 10 || day > 12;
    expect(await problems(hourly(isThere))).toEqual(['72 ids are missing: 316 to 387']);
    expect(await problems(hourly(isThere, true))).toEqual([]);
    const { notes } = await audit(await put(hourly(isThere, true), STEM));
    expect(notes).toContain('no trades on 2023-02-10, 2023-02-11, 2023-02-12; no ids are missing');
  });

  test('is complete at its end when the next file continues its ids', async () => {
    const month = await audit(
      await put(
        hourly((day) => day <= 25),
        STEM,
      ),
    );
    const nextId = 100 + 25 * 24;
    const day = await audit(
      await put(lines(nextId, Date.UTC(2023, 2, 1)), 'TESTUSDT-aggTrades-2023-03-01'),
    );
    expect(auditTogether([day, month])).toMatchObject({
      between: [],
      files: [{ problems: [] }, { problems: [] }],
    });
  });

  test('--json has every range of missing ids', async () => {
    await put(
      hourly((day) => day % 2 === 0),
      STEM,
    );
    const { stdout } = await runCli(['audit', folder, '--json'], { env: {} });
    const [file] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { content: FileAudit['content'] });
    expect(file?.content?.missing).toEqual(
      Array.from({ length: 13 }, (_, index) => ({
        from: 148 + index * 48,
        to: 171 + index * 48,
      })),
    );
  });
});

describe('cdvault audit', () => {
  test('checks a folder; exit code 3 when something is missing', async () => {
    await put(lines());
    expect(await runCli(['audit', folder], { env: {} })).toMatchObject({ exitCode: 0 });
    await put(lines(5_000 + COUNT + 1, DAY + 86_400_000), 'TESTUSDT-aggTrades-2024-03-06');
    const { exitCode, stdout } = await runCli(['audit', folder], { env: {} });
    expect(stdout).toContain('1 id is missing: 6440 to 6440');
    expect(stdout).toContain('NOT whole');
    expect(exitCode).toBe(3);
  });

  test.each([
    ['no-such-file.zip', 'does not exist'],
    ['.', 'is not a folder with files named'],
  ])('%s: a usage error, exit code 2', async (given, words) => {
    const { exitCode, stderr } = await runCli(['audit', path.join(folder, given)], { env: {} });
    expect(stderr).toContain(words);
    expect(exitCode).toBe(2);
  });
});
