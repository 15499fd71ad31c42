import { HOUR_MS } from '../time/hour.ts';
import type { DayInputs } from './day.ts';

/**
 * The hour from which on bars computed from `after` may differ from those computed from `before`; undefined
 * when none does.
 * @param before `inputs` of an earlier build of the day
 */
export function firstChangedHour(
  before: string,
  after: Pick<DayInputs, 'dayMs' | 'inputs'>,
): number | undefined {
  const old = wordsByHour(before);
  const now = wordsByHour(after.inputs);
  const changed = [...new Set([...old.keys(), ...now.keys()])].flatMap((hour) => {
    const words = [old.get(hour), now.get(hour)];
    if (words[0] === words[1]) return [];
    // Rows of an hour that reach back lie in the bars of the hour before it.
    const reaches = words.some((word) => word?.includes('<') === true);
    return [Math.max(0, reaches ? hour - 1 : hour)];
  });
  return changed.length === 0 ? undefined : after.dayMs + Math.min(...changed) * HOUR_MS;
}

/** Hours that an earlier build had, as starts. */
export function hoursIn(inputs: string, dayMs: number): ReadonlySet<number> {
  const hours = [...wordsByHour(inputs).keys()].filter((hour) => hour < 24);
  return new Set(hours.map((hour) => dayMs + hour * HOUR_MS));
}

/** The words of `inputs`; that of the next day's first hour counts as hour 24. */
function wordsByHour(inputs: string): Map<number, string> {
  const words = inputs.split(' ').filter((word) => word !== '');
  return new Map(
    words.map((word) => {
      const name = word.slice(0, word.indexOf('='));
      return [name === 'next' ? 24 : Number(name), word];
    }),
  );
}
