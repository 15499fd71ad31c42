import type { TablesFacts, ViewsFacts, WalTable, WrongTable } from '../../ports/doctor.ts';
import { fail, ok, type Verdict, warn } from './check.ts';
import { countText, namesText, numberText } from './wording.ts';

/** A worker sends a few transactions a second, and QuestDB applies hundreds: a hundred are no passing wave. */
const MUCH_PENDING = 100;

export function suspended(tables: readonly WalTable[]): Verdict {
  const found = tables.filter(({ isSuspended }) => isSuspended);
  const [first] = found;
  const figures = { tables: tables.length, suspended: found.length };
  if (first === undefined) return ok(`none of ${countText(tables.length, 'table')}`, figures);
  const names = found.map(({ name }) => name);
  const why = [first.errorTag, first.errorMessage].find((text) => text !== '');
  const cure = first.isOurs
    ? 'cdvault doctor --fix checks the cause and resumes it'
    : `Find the cause in its log, then run ALTER TABLE ${first.name} RESUME WAL`;
  return fail(
    `${namesText(names)}: ${countText(first.pending, 'transaction')} not visible${why === undefined ? '' : ` (${why})`}`,
    cure,
    { ...figures, names: names.join(','), errorTag: first.errorTag },
    'TABLE_SUSPENDED',
  );
}

export function lag(tables: readonly WalTable[]): Verdict {
  const behind = tables
    .filter(({ isSuspended, pending }) => !isSuspended && pending > 0)
    .toSorted((left, right) => right.pending - left.pending);
  const [worst] = behind;
  if (worst === undefined) return ok('0 transactions wait to become visible', { pending: 0 });
  const figures = Object.fromEntries(behind.map(({ name, pending }) => [name, pending]));
  const fact = `${countText(worst.pending, 'transaction')} of ${worst.name} not visible yet`;
  if (worst.pending < MUCH_PENDING) return ok(fact, figures);
  return warn(
    fact,
    'Run cdvault doctor again: if the number grows, QuestDB needs a faster disk or fewer workers.',
    figures,
  );
}

export function views({ wanted, missing, invalid }: ViewsFacts): Verdict {
  const figures = { wanted, missing: missing.join(','), invalid: invalid.length };
  const broken = [...missing, ...invalid.map(({ name }) => name)];
  if (broken.length === 0) return ok(`${countText(wanted, 'view')}, all valid`, figures);
  const reason = invalid[0]?.reason ?? '';
  return fail(
    `${missing.length} missing, ${invalid.length} invalid: ${namesText(broken)}${reason === '' ? '' : ` (${reason})`}`,
    'cdvault doctor --fix makes them again; they hold no data',
    figures,
  );
}

const CURE: Readonly<Record<WrongTable['kind'], (wrong: WrongTable) => string>> = {
  missing: () =>
    'Restore a backup, or use an empty QuestDB and run cdvault backfill: the name of a dropped table is not used again.',
  no_wal: ({ table }) =>
    `ALTER TABLE ${table} SET TYPE WAL, restart QuestDB, then run cdvault verify`,
  no_dedup: ({ table, keys }) =>
    `ALTER TABLE ${table} DEDUP ENABLE UPSERT KEYS(${keys.join(', ')}), then cdvault verify`,
  columns: ({ table }) =>
    `Compare it with docs/tables.md; if ${table} is another program's, use another QuestDB.`,
};

export function schema({ compared, wrong }: TablesFacts): Verdict {
  const [first] = wrong;
  const figures = {
    compared,
    wrong: wrong.length,
    tables: wrong.map(({ table }) => table).join(','),
  };
  if (first === undefined)
    return ok(`${countText(compared, 'table')} with their columns, WAL and dedup keys`, figures);
  const more = wrong.length === 1 ? '' : ` (and ${numberText(wrong.length - 1)} more)`;
  return fail(
    `${first.table}: ${first.what}${more}`,
    CURE[first.kind](first),
    figures,
    'SCHEMA_MISMATCH',
  );
}
