import type { MigrationFacts } from '../../ports/doctor.ts';
import { fail, ok, type Verdict, warn } from './check.ts';
import { countText, namesText } from './wording.ts';

export function migrations({ isStarted, known, due, unknown }: MigrationFacts): Verdict {
  const figures = { known, due: due.join(','), unknown: unknown.join(',') };
  if (unknown.length > 0)
    return fail(
      `made by another release: it has had ${namesText(unknown)}`,
      'Use the release that made it, or backfill into an empty QuestDB.',
      figures,
      'SCHEMA_OF_OTHER_RELEASE',
    );
  if (!isStarted) return warn('it has no tables yet', 'cdvault migrate', figures);
  if (due.length > 0) return warn(`not applied: ${namesText(due)}`, 'cdvault migrate', figures);
  return ok(`all ${countText(known, 'migration')} applied`, figures);
}

/** The tables and views of series, and the view `trades` over all of them. */
export function seriesViews(due: number): Verdict {
  if (due === 0) return ok('trades and the views of series are current', { due });
  return warn(`${countText(due, 'statement')} due for trades or series`, 'cdvault migrate', {
    due,
  });
}
