import { type SliceRecord, verdictOf } from '../../domain/proof/ledger.ts';
import { hoursOf, type TimeRange } from '../../domain/time/hour.ts';

/** The verdicts on the hours of a range, and its proven hours. */
export function judgedHours(asked: TimeRange, records: ReadonlyMap<number, SliceRecord>) {
  const verdicts = [...hoursOf(asked)].map((hourMs) => {
    const record = records.get(hourMs);
    return { hourMs, verdict: record === undefined ? 'unknown' : verdictOf(record) };
  });
  const of = (wanted: string) => verdicts.filter(({ verdict }) => verdict === wanted);
  return {
    verdicts: {
      proven: of('proven').length,
      open: of('open').length,
      gap: of('gap').length,
      unknown: of('unknown').length,
      unproven: verdicts.filter(({ verdict }) => verdict !== 'proven'),
    },
    hours: of('proven').map(({ hourMs }) => hourMs),
  };
}
