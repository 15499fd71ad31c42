import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  differingHours,
  fingerprintOf,
  type HourContent,
} from '../../src/domain/proof/fingerprint.ts';
import { HOUR_MS } from '../../src/domain/time/hour.ts';
import type { Series } from '../../src/domain/market.ts';
import { DAY } from './arbitraries.ts';

const SERIES: Series = { market: 'binance_spot', symbol: 'BTCUSDT' };

const digest = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => hexOf(bytes));

const hours: fc.Arbitrary<HourContent[]> = fc
  .array(fc.record({ rows: fc.nat(100_000), contentHash: digest }), { minLength: 1, maxLength: 40 })
  .map((contents) =>
    contents.map((content, index) => ({ ...content, hourMs: DAY + index * HOUR_MS })),
  );

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function root(contents: readonly HourContent[]): string {
  return fingerprintOf(SERIES, contents).root;
}

test('the order of the hours does not matter', () => {
  const shuffled = hours.chain((all) =>
    fc.tuple(
      fc.constant(all),
      fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length }),
    ),
  );
  fc.assert(
    fc.property(shuffled, ([all, mixed]) => {
      expect(fingerprintOf(SERIES, mixed)).toEqual(fingerprintOf(SERIES, all));
    }),
  );
});

test('any single change changes the root, and its hour is found', () => {
  const flip = (text: string, at: number): string =>
    text.slice(0, at) + (text[at] === '0' ? '1' : '0') + text.slice(at + 1);
  const changes: readonly ((hour: HourContent, draw: number) => HourContent)[] = [
    (hour) => ({ ...hour, rows: hour.rows + 1 }),
    (hour, draw) => ({ ...hour, contentHash: flip(hour.contentHash, draw % 64) }),
  ];
  fc.assert(
    fc.property(hours, fc.nat(), fc.constantFrom(...changes), (all, draw, change) => {
      const at = draw % all.length;
      const changed = all.map((hour, index) => (index === at ? change(hour, draw) : hour));
      expect(root(changed)).not.toBe(root(all));
      expect(differingHours(fingerprintOf(SERIES, all), fingerprintOf(SERIES, changed))).toEqual([
        all[at]?.hourMs,
      ]);
    }),
  );
});

test('a missing hour, or exchanged contents of two hours, give another root', () => {
  fc.assert(
    fc.property(hours, fc.nat(), (all, draw) => {
      fc.pre(all.length > 1);
      const at = draw % (all.length - 1);
      const [one, two] = all.slice(at, at + 2);
      expect(root(all.toSpliced(at, 1))).not.toBe(root(all));
      if (one === undefined || two === undefined || one.contentHash === two.contentHash) return;
      const exchanged = all.toSpliced(
        at,
        2,
        { ...one, contentHash: two.contentHash },
        { ...two, contentHash: one.contentHash },
      );
      expect(root(exchanged)).not.toBe(root(all));
    }),
  );
});

test('is the tree that RFC 6962 builds from the top down', () => {
  fc.assert(
    fc.property(hours, (all) => {
      const { leaves, root: fromBelow } = fingerprintOf(SERIES, all);
      const fromAbove = treeHash(leaves.map(({ leaf }) => Buffer.from(leaf, 'hex')));
      expect(fromBelow).toBe(fromAbove.toString('hex'));
    }),
  );
});

/** The left subtree takes the largest power of two of leaves that is smaller than their number. */
function treeHash(leaves: readonly Buffer[]): Buffer {
  const [only] = leaves;
  if (leaves.length === 1 && only !== undefined) return only;
  let left = 1;
  while (left * 2 < leaves.length) left *= 2;
  return createHash('sha256')
    .update(
      Buffer.concat([Buffer.of(1), treeHash(leaves.slice(0, left)), treeHash(leaves.slice(left))]),
    )
    .digest();
}
