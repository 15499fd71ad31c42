import { expect, test } from 'vitest';
import { Chunks } from '../../../src/page/data/chunks.ts';
import type { VisibleRange } from '../../../src/page/view.ts';

const LIMITS = { fromMs: 500, toMs: 99_500 };

/** Pieces of 2,000 ms; each is its own range. */
function loaded() {
  const asked: VisibleRange[] = [];
  const chunks = new Chunks(1, async (range) => {
    asked.push(range);
    return range.fromMs;
  });
  return { chunks, asked };
}

test('what is near the picture is loaded once', async () => {
  const { chunks, asked } = loaded();
  expect(await chunks.cover({ fromMs: 600, toMs: 1_000 }, LIMITS)).toBe(true);
  expect(asked).toEqual([{ fromMs: 0, toMs: 2_000 }]);
  expect(await chunks.cover({ fromMs: 700, toMs: 1_100 }, LIMITS)).toBe(false);
  expect(await chunks.cover({ fromMs: 1_400, toMs: 1_600 }, LIMITS)).toBe(true);
  expect(asked.slice(1)).toEqual([{ fromMs: 2_000, toMs: 4_000 }]);
  expect(chunks.pieces).toEqual([0, 2_000]);
});

test('the first picture waits for its own piece only; the next call loads ahead', async () => {
  const { chunks, asked } = loaded();
  const picture = { fromMs: 1_700, toMs: 1_900 };
  await chunks.cover(picture, LIMITS);
  expect(asked).toEqual([{ fromMs: 0, toMs: 2_000 }]);
  expect(await chunks.cover(picture, LIMITS)).toBe(true);
  expect(asked.slice(1)).toEqual([{ fromMs: 2_000, toMs: 4_000 }]);
});

test('pieces far from the picture are dropped, and what is kept has no hole', async () => {
  const { chunks } = loaded();
  for (let at = 1_000; at < 20_000; at += 2_000)
    await chunks.cover({ fromMs: at, toMs: at + 1 }, LIMITS);
  expect(chunks.pieces).toEqual([16_000, 18_000]);
  await chunks.cover({ fromMs: 23_000, toMs: 23_001 }, LIMITS);
  expect(chunks.pieces).toEqual([22_000]);
});

test('a failure is thrown, and the piece is asked for again', async () => {
  let calls = 0;
  const chunks = new Chunks(1, async ({ fromMs }) => {
    calls += 1;
    if (calls === 1) throw new Error('away');
    return fromMs;
  });
  await expect(chunks.cover({ fromMs: 600, toMs: 700 }, LIMITS)).rejects.toThrow('away');
  await chunks.cover({ fromMs: 600, toMs: 700 }, LIMITS);
  expect(chunks.pieces).toEqual([0]);
});

test('nothing is asked for outside of the limits, and nothing is lost there', async () => {
  const { chunks, asked } = loaded();
  for (let times = 0; times < 2; times += 1)
    await chunks.cover({ fromMs: 98_000, toMs: 99_000 }, LIMITS);
  const before = asked.length;
  expect(await chunks.cover({ fromMs: 200_000, toMs: 201_000 }, LIMITS)).toBe(false);
  expect(asked).toHaveLength(before);
  expect(chunks.pieces).toEqual([96_000, 98_000]);
});
