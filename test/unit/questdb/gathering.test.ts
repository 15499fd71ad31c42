import { expect, test } from 'vitest';
import { gathering, type ItemError } from '../../../src/adapters/questdb/gathering.ts';

/** Work that ends when the test says so, and the items of each piece of it. */
function manualWork() {
  const pieces: (readonly string[])[] = [];
  const ends: PromiseWithResolvers<readonly ItemError[]>[] = [];
  const work = async (items: readonly string[]) => {
    pieces.push(items);
    const end = Promise.withResolvers<readonly ItemError[]>();
    ends.push(end);
    return end.promise;
  };
  return { pieces, ends, work };
}

test('what is asked for during work is no part of it, and goes together next', async () => {
  const { pieces, ends, work } = manualWork();
  const ask = gathering(work);
  const ended: string[] = [];
  const all = ['a', 'b', 'c'].map(async (item) => {
    await ask(item);
    ended.push(item);
  });
  expect(pieces).toEqual([['a']]);
  ends[0]?.resolve([]);
  await all[0];
  expect(ended).toEqual(['a']);
  expect(pieces).toEqual([['a'], ['b', 'c']]);
  ends[1]?.resolve([]);
  await Promise.all(all);
  const later = ask('d');
  expect(pieces).toEqual([['a'], ['b', 'c'], ['d']]);
  ends[2]?.resolve([]);
  await later;
});

test('an item fails alone with its error; work that throws fails all of its items and no later one', async () => {
  const { ends, work } = manualWork();
  const ask = gathering(work);
  const outcomes = Promise.allSettled(['a', 'b', 'c'].map((item) => ask(item)));
  ends[0]?.reject(new Error('gone'));
  await expect.poll(() => ends.length).toBe(2);
  const late = ask('d');
  ends[1]?.resolve([undefined, { error: new Error('lost') }]);
  expect(await outcomes).toEqual([
    { status: 'rejected', reason: new Error('gone') },
    { status: 'fulfilled', value: undefined },
    { status: 'rejected', reason: new Error('lost') },
  ]);
  await expect.poll(() => ends.length).toBe(3);
  ends[2]?.resolve([]);
  await late;
});

test('items go together as far as they fit', async () => {
  const { pieces, ends, work } = manualWork();
  const ask = gathering(work, ({ length }) => Math.min(2, length));
  const all = Promise.all(['a', 'b', 'c', 'd'].map((item) => ask(item)));
  for (const at of [0, 1, 2]) {
    await expect.poll(() => ends.length).toBe(at + 1);
    ends[at]?.resolve([]);
  }
  await all;
  expect(pieces).toEqual([['a'], ['b', 'c'], ['d']]);
});
