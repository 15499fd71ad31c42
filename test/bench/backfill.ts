import { createSql, type TextRow } from '../../src/adapters/questdb/sql.ts';
import { DAYS, dayName, SYMBOL } from './day-files.ts';
import {
  type Line,
  type LineId,
  type Measurement,
  repeat,
  type Sample,
  shareOf,
} from './measurement.ts';
import { cdvault, type Command, freshStore, type Host, startHost, type Store } from './place.ts';
import { secondsSince } from './process-meter.ts';

const MINUTES_A_DAY = 1_440;

interface Summary {
  readonly type: 'summary';
  readonly durationMs: number;
  readonly rows: number;
  readonly work: Readonly<Record<'waitMs' | 'fetchMs' | 'decodeMs' | 'writeMs', number>>;
}

export interface Backfill extends Command {
  /** As the command reports it: from its plan to its last level. */
  readonly runS: number;
  readonly trades: number;
  readonly work: Summary['work'];
  /** Time of a query for the range's minutes, right after the command. */
  readonly queryMs: number;
}

export interface DaySpan {
  /** Index of the first day, from 0. */
  readonly first: number;
  readonly days: number;
  readonly source: 'auto' | 'rest';
}

/** Fetches whole days, then queries their minutes at once. @throws Error when trades or minutes are missing */
export async function backfillDays(
  place: { readonly store: Store; readonly host: Host },
  { first, days, source }: DaySpan,
): Promise<Backfill> {
  const range = ['--from', dayName(first), '--to', dayName(first + days)];
  const command = await cdvault(
    ['backfill', SYMBOL, ...range, '--source', source, '--json'],
    place,
  );
  const summary = command.lines.at(-1) as unknown as Summary;
  const { answer, ms } = await minutesOf(place.store, first, days);
  if (
    Number(answer?.['trades']) !== summary.rows ||
    Number(answer?.['bars']) !== days * MINUTES_A_DAY
  )
    throw new Error(`${summary.rows} trades are stored, the bars have ${JSON.stringify(answer)}`);
  return {
    ...command,
    runS: summary.durationMs / 1000,
    trades: summary.rows,
    work: summary.work,
    queryMs: ms,
  };
}

async function minutesOf(
  store: Store,
  first: number,
  days: number,
): Promise<{ readonly answer: TextRow | undefined; readonly ms: number }> {
  const sql = createSql(store.urls.questdbReadonlyPgUrl, 1);
  try {
    const startedMs = performance.now();
    const [answer] = await sql.query(
      `SELECT count() bars, sum(agg_trades) trades, last(close) close FROM cdv_1m WHERE symbol = '${SYMBOL}' ` +
        `AND ts >= '${dayName(first)}' AND ts < '${dayName(first + days)}'`,
    );
    return { answer, ms: secondsSince(startedMs) * 1000 };
  } finally {
    await sql.close();
  }
}

export function commandSample({ wallS, uses, trades }: Backfill): Sample {
  return { value: wallS, rows: trades, uses };
}

function runSample({ runS, trades }: Backfill): Sample {
  return { value: runS, rows: trades };
}

export const archiveDay: Measurement = {
  name: 'day',
  about:
    'One day from the exchange’s archive file to queryable bars by `bin/cdvault backfill --source auto`, in a new ' +
    'store: first with a QuestDB that has just started (its Java has compiled nothing yet), then the next day with ' +
    'the same QuestDB. *Command*: from the shell to the exit. *Run*: the duration in the command’s own JSON, from the ' +
    'plan to the last level. *First query*: count and sums of the day’s minutes, right after the command.',
  async run({ runs, say }) {
    await using host = await startHost(say);
    const done = await repeat(runs, async () => {
      await using store = await freshStore();
      const cold = await backfillDays({ store, host }, { first: 0, days: 1, source: 'auto' });
      const warm = await backfillDays({ store, host }, { first: 1, days: 1, source: 'auto' });
      return { cold, warm };
    });
    return [
      ...linesOf(
        'day',
        'archive day, QuestDB just started',
        done.map(({ cold }) => cold),
      ),
      ...linesOf(
        'warm day',
        'archive day, QuestDB warm',
        done.map(({ warm }) => warm),
      ),
    ];
  },
};

function linesOf(id: LineId, name: string, done: readonly Backfill[]): Line[] {
  return [
    { id, what: `${name}: command`, unit: 's', samples: done.map(commandSample) },
    { what: `${name}: run`, unit: 's', samples: done.map(runSample) },
    {
      what: `${name}: first query`,
      unit: 'ms',
      samples: done.map(({ queryMs }) => ({ value: queryMs })),
    },
  ];
}

export const archiveDays: Measurement = {
  name: 'days',
  about:
    `${DAYS} days from ${DAYS} archive files by one command with its one worker process, in a new store. The files ` +
    'repeat the first day with continuing ids and times; they are packed in advance and streamed from disk.',
  async run({ runs, say }) {
    await using host = await startHost(say);
    const done = await repeat(runs, async () => {
      await using store = await freshStore();
      return await backfillDays({ store, host }, { first: 0, days: DAYS, source: 'auto' });
    });
    const perDay = done.map((run) => shareOf(commandSample(run), DAYS));
    return [
      { what: `${DAYS} archive days: command`, unit: 's', samples: done.map(commandSample) },
      { id: 'each day', what: `${DAYS} archive days: each day`, unit: 's', samples: perDay },
    ];
  },
};
