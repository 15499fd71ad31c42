import type { Command } from 'commander';
import { endRule, followRule } from '../../app/jobs/follow-rules.ts';
import { isScheduling, startTicking } from '../../app/jobs/keep-ticking.ts';
import { changeSchedule } from '../../app/plan/run-backfill.ts';
import { CdvaultError } from '../../domain/errors.ts';
import { EXIT, type ExitCode } from '../../domain/exit-codes.ts';
import type { Series } from '../../domain/market.ts';
import { lastRank, ruleText, type ScheduleRule } from '../../domain/plan/schedule-rule.ts';
import { floorTo, HOUR_MS } from '../../domain/time/hour.ts';
import type { App } from '../compose.ts';
import { marketOption } from '../input/options.ts';
import { type RuleOptions, ruleOf, withRule } from '../input/rule-options.ts';
import { resolveRange } from '../input/times.ts';
import { formatInteger, isoMinute } from '../print/format.ts';
import { assertKnown, parseSeries, print, type Session, withApp } from '../session.ts';

interface ScheduleOptions extends RuleOptions {
  readonly from?: string;
  readonly last?: string;
}

export function registerSchedule(program: Command, finish: (exitCode: ExitCode) => void): void {
  withRule(program.command('schedule'))
    .argument('[symbols...]', 'one or more: BTCUSDT, btcusdt or BTC/USDT')
    .summary('keep series complete: fetch missing hours every hour')
    .description(
      'Queues every hour what is missing since --from, so series recover from downtime ' +
        'automatically. Workers fetch it (cdvault worker); without one nothing is fetched. You can ' +
        'schedule from several hosts. Give --from or --last. With --all and --quote instead of ' +
        'symbols, the schedule follows the exchange: symbols that are listed join, from their listing ' +
        'on, and symbols that are delisted end when their last hour is proven. --top limits it to the ' +
        'symbols of the greatest volume.',
    )
    .option('--from <time>', 'start (UTC) of the range to keep complete')
    .option('--last <length>', 'length of the range up to now, instead of --from: 12h, 30d or 6w')
    .addOption(marketOption())
    .action(async (symbols: string[], options: ScheduleOptions) => {
      const { startMs } = resolveRange(options, Date.now()).hours;
      const fromMs = floorTo(startMs, HOUR_MS);
      const wanted = ruleOf(symbols, options);
      const series = wanted === undefined ? parseSeries(symbols, options.market) : [];
      finish(
        await withApp({}, async (session) => {
          if (wanted === undefined) await scheduleNamed(session, series, fromMs);
          else await scheduleRule(session, { ...wanted, fromMs });
          return EXIT.ok;
        }),
      );
    });
  withRule(program.command('unschedule'), { top: false })
    .argument('[symbols...]', 'one or more: BTCUSDT, btcusdt or BTC/USDT')
    .summary('stop scheduling series; stored data is kept')
    .description(
      'Stops the hourly fetch of missing hours. Stored data is kept. --all and --quote end what ' +
        'schedule --all has begun.',
    )
    .addOption(marketOption())
    .action(async (symbols: string[], options: RuleOptions) => {
      const wanted = ruleOf(symbols, options);
      const series = wanted === undefined ? parseSeries(symbols, options.market) : [];
      finish(
        await withApp({}, async (session) => {
          if (wanted === undefined) await unscheduleNamed(session, series);
          else await unscheduleRule(session, wanted);
          const { app } = session;
          if (!(await isScheduling(app))) await app.queue.removeTick();
          return EXIT.ok;
        }),
      );
    });
}

async function scheduleNamed(
  { app, signal }: Session,
  series: readonly Series[],
  fromMs: number,
): Promise<void> {
  await assertKnown(app, series, signal);
  for (const one of series) await changeSchedule(app, { ...one, fromMs }, signal);
  await startTicking(app.queue);
  for (const { symbol } of series) print(`${symbol}: scheduled from ${isoMinute(fromMs)} on`);
}

async function scheduleRule({ app, signal }: Session, rule: ScheduleRule): Promise<void> {
  const before = await findRule(app, rule);
  // The series of a rule keep the start that they were given, so another start needs them anew.
  if (before !== undefined && before.fromMs !== rule.fromMs) await endRule(app, before, signal);
  await app.rules.set(rule);
  // Whatever the exchange answers now: the tick applies the rule too.
  await startTicking(app.queue);
  const covered = await followRule(app, rule, signal);
  const edge = rule.top === undefined ? '' : `; a series leaves behind rank ${lastRank(rule.top)}`;
  print(
    `${ruleText(rule)}: ${formatInteger(covered.length)} series scheduled from ${isoMinute(rule.fromMs)} ` +
      `or their listing on${edge}`,
  );
}

async function unscheduleNamed({ app, signal }: Session, series: readonly Series[]): Promise<void> {
  for (const one of series) {
    const facts = await app.catalogue.find(one);
    if (facts?.scheduledFromMs === undefined)
      throw new CdvaultError('UNKNOWN_SYMBOL', `${one.symbol} is not scheduled`, {
        advice: 'Run cdvault status to list scheduled series.',
      });
    if (facts.scheduledBy !== undefined)
      throw new CdvaultError(
        'USAGE',
        `${one.symbol} is scheduled by a rule, which would schedule it again`,
        {
          advice: 'End the rule with cdvault unschedule --all, or make --top smaller.',
        },
      );
  }
  for (const one of series) await changeSchedule(app, { ...one, fromMs: undefined }, signal);
  for (const { symbol } of series) print(`${symbol}: no longer scheduled`);
}

async function unscheduleRule(
  { app, signal }: Session,
  wanted: Omit<ScheduleRule, 'fromMs'>,
): Promise<void> {
  const rule = await findRule(app, wanted);
  if (rule === undefined)
    throw new CdvaultError('USAGE', `no rule schedules ${ruleText(wanted)}`, {
      advice: 'Run cdvault status to list the rules.',
    });
  const ended = await endRule(app, rule, signal);
  print(`${ruleText(rule)}: ${formatInteger(ended.length)} series no longer scheduled`);
}

async function findRule(
  { rules }: App,
  { market, quote }: Pick<ScheduleRule, 'market' | 'quote'>,
): Promise<ScheduleRule | undefined> {
  return (await rules.all()).find((one) => one.market === market && one.quote === quote);
}
