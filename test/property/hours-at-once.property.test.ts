import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HOURS_AT_ONCE, type Load, nextHours } from '../../src/domain/plan/hours-at-once.ts';

const { least, most } = HOURS_AT_ONCE;
const part = fc.double({ min: 0, max: 1, noNaN: true });
const loads: fc.Arbitrary<Load> = fc.record({
  isFull: fc.boolean(),
  weight: part,
  isWeightSure: fc.boolean(),
  thread: part,
  cores: part,
  memory: part,
  store: fc.option(fc.nat(10_000), { nil: undefined }),
});

/** A worker on a machine and an exchange of which each allows so many hours at a time. */
interface Plant {
  /** Hours that use up the weight of an address. */
  readonly weight: number;
  /** Hours that make the thread busy. */
  readonly thread: number;
}

const plants: fc.Arbitrary<Plant> = fc.record({
  weight: fc.double({ min: 1, max: 200, noNaN: true }),
  thread: fc.double({ min: 1, max: 200, noNaN: true }),
});

function loadOf(plant: Plant, hours: number): Load {
  return {
    isFull: true,
    weight: Math.max(0, 1 - plant.weight / hours),
    isWeightSure: true,
    thread: Math.min(1, hours / plant.thread),
    cores: 0,
    memory: 0,
    store: 0,
  };
}

test('whatever happens, the number is whole, at least 1 and at most 64, and moves by one or down by a quarter', () => {
  fc.assert(
    fc.property(fc.integer({ min: least, max: most }), fc.array(loads), (first, all) => {
      let hours = first;
      for (const load of all) {
        const { hours: next } = nextHours(hours, load);
        expect(Number.isInteger(next)).toBe(true);
        expect(next).toBeGreaterThanOrEqual(least);
        expect(next).toBeLessThanOrEqual(most);
        expect(
          next === hours || next === hours + 1 || next === Math.max(1, Math.floor(0.75 * hours)),
        ).toBe(true);
        hours = next;
      }
    }),
  );
});

test('with the same machine and exchange it settles, and uses what the narrower of them allows', () => {
  fc.assert(
    fc.property(plants, fc.integer({ min: least, max: most }), (plant, first) => {
      let hours = first;
      for (let look = 0; look < 100; look += 1)
        hours = nextHours(hours, loadOf(plant, hours)).hours;
      expect(nextHours(hours, loadOf(plant, hours)).hours).toBe(hours);
      const allowed = Math.min(plant.weight, plant.thread, most);
      // The thread is left some time, and hours are whole.
      expect(hours).toBeGreaterThanOrEqual(Math.floor(0.85 * allowed));
    }),
  );
});
