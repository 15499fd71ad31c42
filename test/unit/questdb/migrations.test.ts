import { describe, expect, it } from 'vitest';
import { statementsOf } from '../../../src/adapters/questdb/migrate.ts';

const plain = (file: string) => statementsOf(file).statements;

describe('a migration file', () => {
  it('consists of statements that end with a semicolon at the end of a line, without comments', () => {
    expect(plain("-- One.\nSELECT ';' a;\n\n-- Two.\nSELECT\n  2;\n")).toEqual([
      "SELECT ';' a",
      'SELECT\n  2',
    ]);
  });

  it('has one statement for each interval that the line above it names, and for no other', () => {
    const file =
      "-- each: 1m 15m\nSELECT dateadd('{unit}', {count}, ts) FROM t_{interval};\nSELECT 1;\n";
    expect(plain(file)).toEqual([
      "SELECT dateadd('m', 1, ts) FROM t_1m",
      "SELECT dateadd('m', 15, ts) FROM t_15m",
      'SELECT 1',
    ]);
  });

  it('has for each of them the partition that stands behind its group', () => {
    const file = '-- each: 1m 3m by DAY, 1h by MONTH\nCREATE t_{interval} BY {partition};\n';
    expect(plain(file)).toEqual([
      'CREATE t_1m BY DAY',
      'CREATE t_3m BY DAY',
      'CREATE t_1h BY MONTH',
    ]);
  });

  it('gives [x] as a DOUBLE of eight decimals in such statements, through LONG where the value fits', () => {
    const [view] = plain('-- each: 1m\nSELECT [a + b] x;\nSELECT ARRAY[1];\n');
    expect(view).toBe(
      'SELECT CASE WHEN (a + b) < 90000000m AND (a + b) > -90000000m ' +
        'THEN ((a + b) * 100000000m)::long / 100000000.0 ELSE (a + b)::double END x',
    );
    expect(plain('SELECT ARRAY[1];\n')).toEqual(['SELECT ARRAY[1]']);
  });

  it('has statements for all series, and for those of some markets, apart from the others', () => {
    const file =
      '-- each series\nSELECT 1 FROM {trades_table};\n-- each series of binance_cm\nSELECT 2;\nSELECT 3;\n';
    expect(statementsOf(file)).toEqual({
      statements: ['SELECT 3'],
      ofSeries: [
        { text: 'SELECT 1 FROM {trades_table}', markets: undefined },
        { text: 'SELECT 2', markets: ['binance_cm'] },
      ],
    });
  });
});
