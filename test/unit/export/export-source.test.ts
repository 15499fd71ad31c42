import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { createExportSource } from '../../../src/adapters/export/export-source.ts';
import { manifestOf } from '../../fuzz/export-decoders.ts';

const SERIES = { market: 'binance_spot', symbol: 'BTCUSDT' } as const;
const DAY_MS = Date.UTC(2025, 0, 1);
const SOUND = path.join(import.meta.dirname, '../../fuzz/samples/trades-plain.parquet');

const folder = mkdtempSync(path.join(tmpdir(), 'cdvault-export-'));
const place = path.join(folder, 'trades/market=binance_spot/symbol=BTCUSDT');
const file = path.join(place, 'day=2025-01-01/part.parquet');

beforeEach(() => {
  mkdirSync(path.dirname(file), { recursive: true });
  copyFileSync(SOUND, file);
  writeManifest();
});

afterAll(() => rmSync(folder, { recursive: true }));

/** @param more fields of the day's file */
function writeManifest(more: Readonly<Record<string, unknown>> = {}): void {
  const manifest = manifestOf(readFileSync(file));
  const files = (manifest['files'] as object[]).map((each) => ({ ...each, ...more }));
  writeFileSync(path.join(place, '_manifest.json'), JSON.stringify({ ...manifest, files }));
}

async function rows(): Promise<number | undefined> {
  const signal = AbortSignal.timeout(10_000);
  return createExportSource(folder).withDay(SERIES, DAY_MS, signal, async (day) => {
    let count = 0;
    for await (const block of day.rows()) count += block.rows;
    return count;
  });
}

test('a sound export is read', async () => {
  expect(await rows()).toBe(24);
});

test('a file that differs from its SHA-256 is not read, whatever differs', async () => {
  const bytes = readFileSync(file);
  for (const at of [0, 5, Math.floor(bytes.length / 2), bytes.length - 1]) {
    const damaged = Buffer.from(bytes);
    damaged[at] = (damaged[at] ?? 0) ^ 1;
    writeFileSync(file, damaged);
    await expect(rows()).rejects.toMatchObject({
      code: 'ARCHIVE_BAD_FILE',
      message: expect.stringContaining('its manifest says') as string,
    });
  }
});

test.each(['../../../../secret.parquet', '/etc/passwd', 'day=2025-01-02/part.parquet', ''])(
  'a manifest that names another file than the day’s own is refused: %j',
  async (name) => {
    const sha256 = createHash('sha256').update(readFileSync(SOUND)).digest('hex');
    writeManifest({ path: name, sha256 });
    await expect(rows()).rejects.toMatchObject({ code: 'USAGE' });
  },
);

/** Found by `make fuzz`: runs of values that go on far beyond the file's rows. */
test.each(['memory', 'time'])(
  'a file that takes %s without an end ends its reader, and not this process',
  async (what) => {
    copyFileSync(
      path.join(import.meta.dirname, `../../fuzz/samples/endless-${what}.parquet`),
      file,
    );
    writeManifest();
    await expect(rows()).rejects.toMatchObject({ code: 'ARCHIVE_BAD_FILE' });
    copyFileSync(SOUND, file);
    writeManifest();
    expect(await rows()).toBe(24);
  },
  120_000,
);

test('a file whose parts lie outside of it is refused, and the process goes on', async () => {
  const bytes = readFileSync(file);
  // The footer: a place of it becomes another one.
  for (let at = bytes.length - 900; at < bytes.length - 8; at += 40) {
    const damaged = Buffer.from(bytes);
    damaged[at] = 0x7f;
    writeFileSync(file, damaged);
    writeManifest();
    await rows().catch((error: unknown) =>
      expect(error).toMatchObject({ code: 'ARCHIVE_BAD_FILE' }),
    );
  }
}, 60_000);
