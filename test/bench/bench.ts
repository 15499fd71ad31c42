/**
 * `make bench`: speed, memory and disk on this machine, and the same trades through pandas and the
 * QuestDB client for Python. A whole bench writes its table into docs/benchmarks.md.
 *   --runs N            runs of each measurement (default 5)
 *   --only NAME,…       only these measurements; the table is printed, not written
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { again } from './again.ts';
import { archiveDay, archiveDays } from './backfill.ts';
import { beside } from './beside.ts';
import { daysAreReal } from './day-files.ts';
import { describeMachine } from './machine.ts';
import { discardStore } from './place.ts';
import { plan } from './plan.ts';
import { queries } from './queries.ts';
import { markdown, recordIn, type Section, writeInto } from './report.ts';
import { rest } from './rest.ts';
import { sizes } from './sizes.ts';

const MEASUREMENTS = [archiveDay, archiveDays, rest, again, plan, queries, sizes, beside];
const PAGE = path.join(import.meta.dirname, '../../docs/benchmarks.md');

const { values } = parseArgs({
  options: { only: { type: 'string' }, runs: { type: 'string', default: '5' } },
});
const runs = Number(values.runs);
const names = values.only?.split(',') ?? MEASUREMENTS.map(({ name }) => name);
const unknown = names.filter((name) => !MEASUREMENTS.some((one) => one.name === name));
if (unknown.length > 0 || !(runs >= 1))
  throw new Error(
    `--only accepts ${MEASUREMENTS.map(({ name }) => name).join(',')}; --runs accepts a number from 1`,
  );

const say = (line: string): void => console.error(line);
process.once('SIGINT', () => {
  void discardStore().finally(() => process.exit(130));
});

const machine = await describeMachine();
const sections: Section[] = [];
for (const one of MEASUREMENTS) {
  if (!names.includes(one.name)) continue;
  say(`measuring ${one.name}`);
  sections.push({ ...one, lines: await one.run({ runs, say }) });
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
if (values.only === undefined) writeInto(PAGE, table);
console.log(table);
