import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { fingerprintDocument } from '../../src/cli/print/fingerprint-file.ts';
import type { AggTrade } from '../../src/domain/trade/agg-trade.ts';
import { contentHasher } from '../../src/domain/trade/content-hash.ts';
import {
  fingerprintHour,
  fingerprintOf,
  type HourContent,
} from '../../src/domain/proof/fingerprint.ts';
import { HOUR_MS } from '../../src/domain/time/hour.ts';
import { checkFingerprint, PYTHON_IS_HERE, pythonMissing } from '../support/python.ts';

const page = readFileSync(path.join(import.meta.dirname, '../../docs/fingerprint.md'), 'utf8');
const example = /```json\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
const START = Date.UTC(2024, 0, 1);

function trade(aggId: number, price: string, qty: string, rest: Partial<AggTrade>): AggTrade {
  return { aggId, price, qty, firstId: 0, lastId: 0, timeUs: 0, isBuyerMaker: false, ...rest };
}

/** The trades of the example, as the exchange writes them. */
const hours: readonly (readonly AggTrade[])[] = [
  [
    trade(100, '42283.58000000', '0.00069000', {
      firstId: 300,
      lastId: 301,
      timeUs: (START + 1) * 1000,
    }),
    trade(101, '42283.59000000', '1.50000000', {
      firstId: 302,
      lastId: 302,
      timeUs: (START + 3_500) * 1000,
      isBuyerMaker: true,
    }),
  ],
  [],
  [
    trade(102, '42300.00000000', '0.00000001', {
      firstId: 303,
      lastId: 305,
      timeUs: (START + 3 * HOUR_MS - 1) * 1000,
    }),
  ],
];

function contentOf(trades: readonly AggTrade[], index: number): HourContent {
  const hasher = contentHasher();
  for (const each of trades) hasher.update(each);
  return {
    hourMs: START + index * HOUR_MS,
    rows: trades.length,
    contentHash: hasher.digest(),
  };
}

describe('the example in docs/fingerprint.md', () => {
  const series = { market: 'binance_spot', symbol: 'BTCUSDT' } as const;

  test('is what the code computes from its trades', () => {
    const fingerprint = fingerprintOf(series, hours.map(contentOf));
    expect(fingerprintDocument(fingerprint)).toEqual(JSON.parse(example));
  });

  test('has the lines of its content hashes, and the inner node of the tree', () => {
    const { leaves } = fingerprintOf(series, hours.map(contentOf));
    for (const [index, { hourMs, contentHash }] of leaves.entries()) {
      const next = leaves[index + 1]?.hourMs;
      const from = page.indexOf(`\n${fingerprintHour(hourMs)}\n`) + 1;
      const to =
        next === undefined
          ? page.indexOf('```', from)
          : page.indexOf(`\n${fingerprintHour(next)}\n`, from - 1) + 1;
      const lines = page.slice(from + fingerprintHour(hourMs).length + 1, to);
      expect(createHash('sha256').update(lines).digest('hex')).toBe(contentHash);
    }
    const [left = '', right = ''] = leaves.map(({ leaf }) => leaf);
    const node = createHash('sha256').update(Buffer.from(`01${left}${right}`, 'hex'));
    expect(page).toContain(`\`${node.digest('hex')}\``);
  });
});

if (!PYTHON_IS_HERE) test.skip(pythonMissing(), () => undefined);

describe.runIf(PYTHON_IS_HERE)('docs/fingerprint.py', () => {
  test('confirms the example', async () => {
    const { root } = JSON.parse(example) as { root: string };
    expect(await checkFingerprint(example)).toEqual({
      exitCode: 0,
      stdout: `holds: ${root}\n`,
      stderr: '',
    });
  });

  test.each([1, 2, 3, 4, 5, 8, 13, 24])('agrees on a root of %i hours', async (count) => {
    const contents = Array.from({ length: count }, (_, index) =>
      contentOf(hours[index % 3] ?? [], index),
    );
    const fingerprint = fingerprintOf({ market: 'binance_spot', symbol: '币安人生USDT' }, contents);
    const { stdout } = await checkFingerprint(JSON.stringify(fingerprintDocument(fingerprint)));
    expect(stdout).toBe(`holds: ${fingerprint.root}\n`);
  });

  test('finds a root that does not follow from the leaves', async () => {
    const other = example.replace('"rows": 1,', '"rows": 2,');
    expect(other).not.toBe(example);
    expect(await checkFingerprint(other)).toMatchObject({ exitCode: 1, stderr: 'differs: root\n' });
  });
});
