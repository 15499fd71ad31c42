import type { ExchangeStateStore } from '../../ports/weight-governor.ts';
import { int, literal, type Sql } from './sql.ts';

export function createExchangeStateStore(sql: Sql): ExchangeStateStore {
  return {
    async load(market, egress) {
      await sql.waitApplied('exchange_state');
      const [row] = await sql.query(
        'SELECT weight_limit, window_ms, limits_at::long AS limits_us, banned_until::long AS banned_us FROM exchange_state ' +
          `WHERE market = ${literal(market)} AND egress = ${literal(egress)}`,
      );
      if (row === undefined) return undefined;
      return {
        weightLimit: int(row, 'weight_limit'),
        windowMs: int(row, 'window_ms'),
        limitsAtMs: int(row, 'limits_us') / 1000,
        bannedUntilMs: int(row, 'banned_us') / 1000,
      };
    },
    async save(market, egress, state) {
      await sql.query(
        'INSERT INTO exchange_state VALUES (0::timestamp, $1, $2, cast($3 AS long), cast($4 AS long), ' +
          'cast($5 AS long)::timestamp, cast($6 AS long)::timestamp)',
        [
          market,
          egress,
          state.weightLimit,
          state.windowMs,
          state.limitsAtMs * 1000,
          state.bannedUntilMs * 1000,
        ],
      );
      await sql.waitApplied('exchange_state');
    },
  };
}
