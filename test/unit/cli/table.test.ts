import { describe, expect, it } from 'vitest';
import type { OhlcRow } from '../../../src/cli/print/bar-notes.ts';
import { renderBars, renderOhlc } from '../../../src/cli/print/bar-table.ts';
import { renderTable } from '../../../src/cli/print/table.ts';
import { MINUTE_MS } from '../../../src/domain/time/hour.ts';

const START = Date.UTC(2024, 0, 1, 10);

function bar(
  index: number,
  levels: readonly [string, string, string, string, string],
  rest: Partial<OhlcRow> = {},
): OhlcRow {
  const [open, high, low, close, delta] = levels;
  const openMs = START + index * MINUTE_MS;
  return {
    openMs,
    open,
    high,
    low,
    close,
    delta,
    status: 'final',
    levelFromMs: START,
    levelMissing: 0,
    ...rest,
  };
}

const NOTEBOOK = [
  bar(0, ['217.20149000', '217.84858000', '216.39749000', '217.64984000', '0.44901000']),
  bar(1, ['217.64801000', '218.11814000', '216.56164000', '218.11742000', '0.46758000']),
  bar(2, ['218.11655000', '219.43334000', '211.32915000', '211.34749000', '-6.76993000']),
];

describe('the OHLC table', () => {
  it('looks like the output of pandas', () => {
    expect(renderOhlc(NOTEBOOK)).toBe(
      [
        '                          open       high        low      close     delta',
        '2024-01-01 10:00:00  217.20149  217.84858  216.39749  217.64984   0.44901',
        '2024-01-01 10:01:00  217.64801  218.11814  216.56164  218.11742   0.46758',
        '2024-01-01 10:02:00  218.11655  219.43334  211.32915  211.34749  -6.76993',
      ].join('\n'),
    );
  });

  it('shows as many decimals as the values need', () => {
    const fine = bar(0, ['0.00000001', '1.00000000', '0.00000000', '0.50000000', '0.25000000']);
    expect(renderOhlc([fine])).toContain(
      '0.00000001  1.00000000  0.00000000  0.50000000  0.25000000',
    );
  });

  it.each([
    ['wide levels', '-12345.12345000'],
    ['levels of a coin that trades in billions', '-987654321012.00000000'],
  ])('fits 80 columns with %s', (_name, level) => {
    const lines = renderOhlc([bar(0, [level, level, level, level, '-12.00000000'])]).split('\n');
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
    expect(lines[1]).toContain(level.replace(/\.?0+$/, ''));
  });

  it('never cuts a level to fit', () => {
    const level = '-123456789012.12345678';
    expect(renderOhlc([bar(0, [level, level, level, level, level])])).toContain(level);
  });

  it('has a status column only when some bar is not final', () => {
    expect(renderOhlc(NOTEBOOK)).not.toContain('status');
    const lines = renderOhlc([
      ...NOTEBOOK,
      bar(3, ['1', '1', '1', '1', '0'], { status: 'partial' }),
    ]).split('\n');
    expect(lines[0]).toMatch(/delta +status$/);
    expect(lines[4]).toMatch(/0\.00000 +partial$/);
    expect(lines[5]).toBe('* 1 partial: not all trades of the bar are proven');
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('says from which bar on levels are not exact', () => {
    const inexact = bar(3, ['1', '1', '1', '1', '0'], { levelMissing: 1250 });
    expect(
      renderOhlc([...NOTEBOOK, inexact])
        .split('\n')
        .slice(-2),
    ).toEqual([
      '* levels from 2024-01-01T10:03Z on are not exact: up to 1,250 trades are missing since 2024-01-01T10:00Z',
      '* the delta of every final bar is exact',
    ]);
    expect(renderOhlc([bar(0, ['1', '1', '1', '1', '0'], { levelMissing: undefined })])).toContain(
      'an unknown number of',
    );
  });

  it('names levels that count from later than their anchor', () => {
    const flat = ['1', '1', '1', '1', '0'] as const;
    const notes = (anchorMs: number): string[] =>
      renderOhlc([bar(0, flat), bar(1, flat)], { anchorOf: () => anchorMs })
        .split('\n')
        .filter((line) => line.startsWith('*'));
    expect(notes(START)).toEqual([]);
    expect(notes(START - 60 * MINUTE_MS)).toEqual([
      '* levels from 2024-01-01T10:00Z on count from 2024-01-01T10:00Z: the hours from 2024-01-01T09:00Z to then are not stored',
    ]);
  });

  it('marks no exact bar as inexact: a new session ends the stretch', () => {
    const flat = ['1', '1', '1', '1', '0'] as const;
    const unknown = { levelMissing: undefined };
    const newSession = { levelFromMs: START + 2 * MINUTE_MS };
    const notes = renderOhlc([
      bar(0, flat, { ...unknown, status: 'partial' }),
      bar(1, flat, unknown),
      bar(2, flat, newSession),
      bar(3, flat, { ...newSession, levelMissing: 7, status: 'partial' }),
    ])
      .split('\n')
      .filter((line) => line.startsWith('* levels'));
    expect(notes).toEqual([
      '* levels from 2024-01-01T10:00Z to 2024-01-01T10:02Z are not exact: an unknown number of trades may be missing since 2024-01-01T10:00Z',
      '* levels from 2024-01-01T10:03Z on are not exact: up to 7 trades are missing since 2024-01-01T10:02Z',
    ]);
  });

  it('says nothing about deltas when none is exact', () => {
    const partial = bar(0, ['1', '1', '1', '1', '0'], { levelMissing: 3, status: 'partial' });
    expect(renderOhlc([partial])).not.toContain('delta of');
  });

  it('lists five stretches and counts the others', () => {
    const bars = Array.from({ length: 14 }, (_, index) =>
      bar(index, ['1', '1', '1', '1', '0'], { levelMissing: index % 2 }),
    );
    const notes = renderOhlc(bars)
      .split('\n')
      .filter((line) => line.startsWith('* levels'));
    expect(notes).toHaveLength(6);
    expect(notes.at(-1)).toBe('* levels of 2 more stretches are not exact; --json lists them');
  });

  it('says which bars are absent', () => {
    const expected = [0, 1, 2, 3, 4].map((minute) => START + minute * MINUTE_MS);
    expect(renderOhlc(NOTEBOOK, { expected }).split('\n').at(-1)).toBe(
      '* 2 bars are absent, the first at 2024-01-01T10:03Z: not fetched, so unknown (not empty)',
    );
    expect(renderOhlc([], { expected })).toMatch(/^\(no bars\)\n\* 5 bars are absent/);
  });
});

describe('columns of price and volume', () => {
  const sizes = {
    buyVolume: '2.58134000',
    sellVolume: '12.10000000',
    quoteDelta: '1.0000000000000000',
    quoteVolume: '201003.4598639000000000',
    aggTrades: 300,
    trades: 398,
    priceOpen: '42649.69000000',
    priceHigh: '42653.50000000',
    priceLow: '42649.00000000',
    priceClose: '42653.56000000',
    firstId: 1,
    lastId: 300,
  };
  const price = { priceOpen: undefined, priceHigh: undefined, priceLow: undefined };
  const empty = { ...sizes, ...price, priceClose: undefined, quoteVolume: undefined, trades: 0 };
  const [first, second] = NOTEBOOK;
  const bars = [
    { ...(first ?? bar(0, ['1', '1', '1', '1', '0'])), ...sizes },
    { ...(second ?? bar(1, ['1', '1', '1', '1', '0'])), ...empty },
  ];

  it('are tables of their own where they do not fit beside the levels', () => {
    expect(renderBars(bars, { groups: ['cdv', 'price', 'volume'], width: 80 })).toBe(
      [
        '                          open       high        low      close    delta',
        '2024-01-01 10:00:00  217.20149  217.84858  216.39749  217.64984  0.44901',
        '2024-01-01 10:01:00  217.64801  218.11814  216.56164  218.11742  0.46758',
        '',
        '                     price_open  price_high  price_low  price_close',
        '2024-01-01 10:00:00    42649.69    42653.50   42649.00     42653.56',
        '2024-01-01 10:01:00           -           -          -            -',
        '',
        '                     buy_volume  sell_volume    quote_volume  trades',
        '2024-01-01 10:00:00     2.58134     12.10000  201003.4598639     398',
        '2024-01-01 10:01:00     2.58134     12.10000               -       0',
      ].join('\n'),
    );
  });

  it('are beside the levels where the terminal has room for them', () => {
    const lines = renderBars(bars, { groups: ['cdv', 'price'], width: 120 }).split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[1]).toMatch(/^2024-01-01 10:00:00  217\.20149 .* 0\.44901 .* 42653\.56$/);
  });

  it('leave the table of levels as it is', () => {
    expect(renderBars(bars, { groups: ['cdv'], width: 80 })).toBe(renderOhlc(bars));
  });
});

describe('a plain table', () => {
  it('aligns numbers to the right, without colours and frames', () => {
    const rows = [
      { symbol: 'BTCUSDT', hours: 8760, note: undefined },
      { symbol: '这是测试币456', hours: 24, note: 'new' },
    ];
    expect(renderTable(rows)).toBe(
      ['symbol         hours  note', 'BTCUSDT        8,760', '这是测试币456     24  new'].join(
        '\n',
      ),
    );
  });

  it('says so when there are no rows', () => {
    expect(renderTable([])).toBe('(no rows)');
  });
});
