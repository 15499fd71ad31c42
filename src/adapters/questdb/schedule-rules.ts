import type { Market } from '../../domain/market.ts';
import type { ScheduleRule } from '../../domain/plan/schedule-rule.ts';
import type { ScheduleRules } from '../../ports/schedule-rules.ts';
import { int, optionalInt, type Sql, text, type TextRow } from './sql.ts';

export function createScheduleRules(sql: Sql): ScheduleRules {
  const write = async (
    { market, quote }: Pick<ScheduleRule, 'market' | 'quote'>,
    top: number | undefined,
    fromMs: number | undefined,
  ) => {
    await sql.query(
      'INSERT INTO schedule_rules VALUES (0::timestamp, $1, $2, cast($3 AS long), cast($4 AS long)::timestamp)',
      [market, quote, top ?? null, fromMs === undefined ? null : fromMs * 1000],
    );
    await sql.waitApplied('schedule_rules');
  };
  return {
    async all() {
      await sql.waitApplied('schedule_rules');
      const rows = await sql.query(
        'SELECT market, quote, top, scheduled_from::long AS from_us FROM schedule_rules ' +
          'WHERE scheduled_from IS NOT NULL ORDER BY market, quote',
      );
      return rows.map(toRule);
    },
    set: (rule) => write(rule, rule.top, rule.fromMs),
    end: (rule) => write(rule, undefined, undefined),
  };
}

function toRule(row: TextRow): ScheduleRule {
  return {
    market: text(row, 'market') as Market,
    quote: text(row, 'quote'),
    top: optionalInt(row, 'top'),
    fromMs: int(row, 'from_us') / 1000,
  };
}
