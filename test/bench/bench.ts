/**
 * `make bench`: speed, memory and disk on this machine, and the same trades through pandas and the
 * QuestDB client for Python. A whole bench writes its table into docs/benchmarks.md.
 *   --runs N            runs of each measurement (default 5)
 *   --only NAME,…       only these measurements
 *   --series BUSY+THIN  series of many, one-more and hour (default 10+190)
 *   --days N            days of many and one-more (default 31)
 * With the last three, the table is printed and not written.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { again } from './again.ts';
import { archiveDay, archiveDays } from './backfill.ts';
import { atRest } from './at-rest.ts';
import { beside } from './beside.ts';
import { daysAreReal } from './day-files.ts';
import { hour } from './hour.ts';
import { long } from './long.ts';
import { describeMachine } from './machine.ts';
import { discardStores } from './place.ts';
import { many, oneMore } from './many.ts';
import { plan } from './plan.ts';
import { queries } from './queries.ts';
import { markdown, recordIn, type Section, writeInto } from './report.ts';
import { rest } from './rest.ts';
import { sizes } from './sizes.ts';

const MEASUREMENTS = [
  archiveDay,
  archiveDays,
  rest,
  again,
  long,
  plan,
  queries,
  sizes,
  atRest,
  many,
  oneMore,
  hour,
  beside,
];
/** A made-up month; the files of a series have a few days more. */
const MOST_DAYS = 31;
const WHOLE = { series: '10+190', days: '31' };
const PAGE = path.join(import.meta.dirname, '../../docs/benchmarks.md');

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    runs: { type: 'string', default: '5' },
    series: { type: 'string', default: WHOLE.series },
    days: { type: 'string', default: WHOLE.days },
  },
});
const runs = Number(values.runs);
const [busy = Number.NaN, thin = Number.NaN] = values.series.split('+').map(Number);
const size = { busy, thin, days: Number(values.days) };
const names = values.only?.split(',') ?? MEASUREMENTS.map(({ name }) => name);
const unknown = names.filter((name) => !MEASUREMENTS.some((one) => one.name === name));
if (unknown.length > 0)
  throw new Error(`--only accepts ${MEASUREMENTS.map(({ name }) => name).join(',')}`);
if (!(runs >= 1 && busy >= 0 && thin >= 2 && size.days >= 1 && size.days <= MOST_DAYS))
  throw new Error(
    `--runs accepts a number from 1, --series two like 10+190 (at least 2 thin ones), --days 1 to ${MOST_DAYS}`,
  );

const say = (line: string): void => console.error(line);
process.once('SIGINT', () => {
  void discardStores().finally(() => process.exit(130));
});

try {
  const machine = await describeMachine();
  const sections: Section[] = [];
  for (const one of MEASUREMENTS) {
    if (!names.includes(one.name)) continue;
    say(`measuring ${one.name}`);
    sections.push({ ...one, lines: await one.run({ runs, size, say }) });
  }
  const table = markdown({
    date: new Date().toISOString().slice(0, 10),
    machine,
    data: daysAreReal()
      ? 'Trades: BTCUSDT of 2024-01-01, the exchange’s own file.'
      : 'Trades: MADE UP by the simulator, about as many as BTCUSDT had on 2024-01-01; the exchange’s own file is not on this machine.',
    runs,
    sections,
    before: recordIn(PAGE),
  });
  const isWhole =
    values.only === undefined && values.series === WHOLE.series && values.days === WHOLE.days;
  if (isWhole) writeInto(PAGE, table);
  console.log(table);
} finally {
  await discardStores();
}
