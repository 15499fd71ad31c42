import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fingerprintDocument, readFingerprint } from '../../../src/cli/print/fingerprint-file.ts';
import { CdvaultError } from '../../../src/domain/errors.ts';
import { fingerprintOf } from '../../../src/domain/proof/fingerprint.ts';
import { HOUR_MS } from '../../../src/domain/time/hour.ts';
import type { Series } from '../../../src/domain/market.ts';

const START = Date.UTC(2024, 0, 1, 10);
const RANGE = { startMs: START, endMs: START + 2 * HOUR_MS };
const BTC: Series = { market: 'binance_spot', symbol: 'BTCUSDT' };
const print = fingerprintOf(BTC, [
  { hourMs: START, rows: 2, contentHash: 'a'.repeat(64) },
  { hourMs: START + HOUR_MS, rows: 3, contentHash: 'b'.repeat(64) },
]);
const document = fingerprintDocument(print);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cdvault-fingerprint-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function fileOf(text: string): string {
  const file = path.join(folder, 'theirs.json');
  writeFileSync(file, text);
  return file;
}

function refusalOf(text: string, series = BTC, range = RANGE): CdvaultError {
  try {
    readFingerprint(fileOf(text), series, range);
  } catch (error) {
    if (error instanceof CdvaultError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('a fingerprint in a file', () => {
  it('has series, range, sums and leaves', () => {
    expect(document).toMatchObject({
      type: 'fingerprint',
      format: 'cdvault-fingerprint-1',
      market: 'binance_spot',
      symbol: 'BTCUSDT',
      from: '2024-01-01T10:00:00Z',
      to: '2024-01-01T12:00:00Z',
      hours: 2,
      rows: 5,
      root: print.root,
    });
    expect(document.leaves.map(({ hour, rows }) => [hour, rows])).toEqual([
      ['2024-01-01T10:00:00Z', 2],
      ['2024-01-01T11:00:00Z', 3],
    ]);
  });

  it('is read back unchanged', () => {
    const file = fileOf(`${JSON.stringify(document)}\n`);
    expect(readFingerprint(file, BTC, RANGE)).toEqual(print);
  });

  it('of another series or range is refused; the advice gives the range to use', () => {
    const text = JSON.stringify(document);
    expect(refusalOf(text, { ...BTC, symbol: 'ETHUSDT' }).message).toContain(
      'is for BTCUSDT (spot), not for ETHUSDT (spot)',
    );
    expect(refusalOf(text, BTC, { ...RANGE, endMs: RANGE.endMs + HOUR_MS })).toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining(
        'covers 2024-01-01T10:00Z to 2024-01-01T12:00Z, not 2024-01-01T10:00Z to 2024-01-01T13:00Z',
      ),
      advice: 'Give --from 2024-01-01T10:00Z --to 2024-01-01T12:00Z.',
    });
  });

  it('of another format is refused; the error names the format', () => {
    const text = JSON.stringify({ type: 'fingerprint', format: 'cdvault-fingerprint-2' });
    expect(refusalOf(text).message).toContain(
      'has the format "cdvault-fingerprint-2"; this version reads cdvault-fingerprint-1',
    );
  });

  it.each([
    ['text', 'root 1234', 'is not JSON'],
    ['an error', '{"type":"error","code":"NOT_PROVEN"}', 'is not a fingerprint: type'],
    [
      'a root that is no hash',
      JSON.stringify({ ...document, root: 'x' }),
      'not a fingerprint: root',
    ],
    ['no hours', JSON.stringify({ ...document, leaves: [] }), 'is not a fingerprint: leaves'],
    [
      'an hour that is no time',
      JSON.stringify({
        ...document,
        leaves: [{ ...document.leaves[0], hour: '2024-13-01T10:00:00Z' }],
      }),
      'is not a fingerprint: leaves.0.hour',
    ],
  ])('that is %s is refused', (_, text, words) => {
    expect(refusalOf(text)).toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining(words),
    });
  });

  it.each([
    ['another root', { root: 'c'.repeat(64) }],
    ['another sum', { rows: 6 }],
    ['hours in another order', { leaves: document.leaves.toReversed() }],
    [
      'a changed count of an hour',
      { leaves: document.leaves.map((leaf) => ({ ...leaf, rows: leaf.rows + 1 })), rows: 7 },
    ],
  ])('with %s is refused: it is inconsistent', (_, change) => {
    expect(refusalOf(JSON.stringify({ ...document, ...change })).message).toContain(
      'is inconsistent',
    );
  });

  it('that does not exist is refused', () => {
    expect(() => readFingerprint(path.join(folder, 'none.json'), BTC, RANGE)).toThrow('ENOENT');
  });
});
