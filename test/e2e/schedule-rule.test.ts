import { afterAll, beforeAll, expect, test } from 'vitest';
import { keepSchedule } from '../../src/app/jobs/keep-schedule.ts';
import type { App } from '../../src/cli/compose.ts';
import { HOUR_MS, lastClosedHourEnd, MINUTE_MS } from '../../src/domain/time/hour.ts';
import type { ExchangeSymbol } from '../exchange/exchange.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { unique } from '../support/command-line.ts';
import { makeOwnServices, type OwnServices } from '../support/own-services.ts';
import { Rig, spot, um } from './rig.ts';

/** Futures serve the last 48 hours only, so the hours are those before now. */
const END = lastClosedHourEnd(Date.now());
const FROM = END - 3 * HOUR_MS;

function made(
  quote: string,
  more: Partial<ExchangeSymbol> & { fromMs?: number; toMs?: number; firstId?: number } = {},
) {
  const { fromMs = FROM - HOUR_MS, toMs = END + 5 * HOUR_MS, firstId = 1_000, ...listed } = more;
  const trades = syntheticTrades({ seed: 5, fromMs, toMs, tradesPerHour: 60, firstId });
  return { market: 'um', symbol: unique('RULE') + quote, trades, ...listed } as const;
}

// Its trades end in the first of the hours; it is delisted later.
const ENDING = made('USDT', { toMs: FROM + 20 * MINUTE_MS });
const LARGE = made('USDT');
const EDGE = made('USDT');
const SMALL = made('USDT');
const OTHER_QUOTE = made('USDC');
const NEW = made('USDT', { fromMs: END - 2 * HOUR_MS + 10 * MINUTE_MS, firstId: 1 });
const OLD_SPOT = made('TRY', { market: 'spot' });
const NEW_SPOT = made('TRY', { market: 'spot', fromMs: END - HOUR_MS + MINUTE_MS, firstId: 0 });
const NAMED_SPOT = made('TRY', { market: 'spot' });

let own: OwnServices;
let rig: Rig;
let app: App;

beforeAll(async () => {
  // Its own services, since a rule belongs to the whole store.
  own = await makeOwnServices();
  const symbols = [ENDING, LARGE, EDGE, SMALL, OTHER_QUOTE, OLD_SPOT, NEW_SPOT, NAMED_SPOT];
  rig = await Rig.start({ symbols, services: await own.start() });
  app = await rig.app();
  for (const [{ symbol }, volume] of [
    [ENDING, 100],
    [LARGE, 90],
    [EDGE, 80],
    [SMALL, 10],
    [OTHER_QUOTE, 1_000],
  ] as const)
    rig.exchange.setQuoteVolume(symbol, volume, 'um');
}, 300_000);

afterAll(async () => {
  await rig.dispose();
  await own.dispose();
});

const isoTime = (timeMs: number) => new Date(timeMs).toISOString();
const tick = async () => keepSchedule(app, AbortSignal.timeout(60_000));

/** Scheduled symbols, with where each begins. */
async function scheduled(market: string): Promise<Record<string, number>> {
  const all = (await app.catalogue.all()).filter((one) => one.market === `binance_${market}`);
  return Object.fromEntries(
    all.flatMap(({ symbol, scheduledFromMs: fromMs }) =>
      fromMs === undefined ? [] : [[symbol, fromMs]],
    ),
  );
}

const RULE = ['--all', '--market', 'um', '--quote', 'USDT'];

test('a rule schedules the greatest of one quote asset; a symbol that is listed joins from its listing on, and one leaves only well behind the edge', async () => {
  const { exitCode, stdout } = await rig.cli([
    'schedule',
    ...RULE,
    '--top',
    '3',
    '--from',
    isoTime(FROM),
  ]);
  expect(exitCode).toBe(0);
  expect(stdout).toContain('the top 3 of USDT on um: 3 series scheduled from ');
  const start = { [ENDING.symbol]: FROM, [LARGE.symbol]: FROM, [EDGE.symbol]: FROM };
  expect(await scheduled('um')).toEqual(start);
  expect((await rig.cli(['status'])).stdout).toContain('schedule: the top 3 of USDT on um, from ');

  const plan = await rig.cli(['plan', ...RULE, '--top', '1', '--from', isoTime(FROM), '--json']);
  const { series } = JSON.parse(plan.stdout) as { series: readonly { symbol: string }[] };
  expect(series.map(({ symbol }) => symbol)).toEqual([ENDING.symbol]);

  rig.exchange.list(NEW);
  rig.exchange.setQuoteVolume(NEW.symbol, 95, 'um');
  await tick();
  // EDGE has rank 4 now, and stays: a rule of three lets go behind rank four.
  const withNew = { ...start, [NEW.symbol]: END - 2 * HOUR_MS };
  expect(await scheduled('um')).toEqual(withNew);

  rig.exchange.setQuoteVolume(SMALL.symbol, 200, 'um');
  await tick();
  const { [EDGE.symbol]: _, ...others } = withNew;
  expect(await scheduled('um')).toEqual({ ...others, [SMALL.symbol]: FROM });
}, 120_000);

test('while the exchange does not answer, everything stays scheduled', async () => {
  const before = await scheduled('um');
  const refused = { path: '/fapi/v1/exchangeInfo' };
  rig.exchange.setFaults([{ name: 'refused', kind: 'apiError', when: refused }]);
  await tick();
  rig.exchange.setFaults([]);
  expect(await scheduled('um')).toEqual(before);
}, 120_000);

test('a symbol that is delisted stays scheduled until its last hour is proven, and keeps its data', async () => {
  const before = rig.work(app);
  await rig.untilIdle(app);
  await before.stop();
  // A tick's run is named after its hour; this one is to be that of another.
  await rig.wipeRedis();
  rig.exchange.setStatus(ENDING.symbol, 'SETTLING', 'um');
  await tick();
  expect(await scheduled('um')).toHaveProperty(ENDING.symbol);
  // Another process: the first may know from the minute before that the symbol trades.
  const after = rig.work(await rig.app());
  await rig.untilIdle(app);
  await tick();
  expect(await scheduled('um')).not.toHaveProperty(ENDING.symbol);
  await rig.untilIdle(app);
  await after.stop();
  const range = { startMs: FROM, endMs: END };
  const { rows, ...totals } = await app.ledger.totals(um(ENDING.symbol), range);
  expect(totals).toEqual({ proven: 3, open: 0, gap: 0 });
  expect(rows).toBeGreaterThan(0);
  const ofNew = { startMs: END - 2 * HOUR_MS, endMs: END };
  expect(await app.ledger.totals(um(NEW.symbol), ofNew)).toMatchObject({
    proven: 2,
    open: 0,
    gap: 0,
  });
}, 120_000);

test('on spot the listing is the hour of the first trade, and a series that somebody has named is left alone', async () => {
  const named = ['schedule', NAMED_SPOT.symbol, '--from', isoTime(FROM - HOUR_MS)];
  expect(await rig.cli(named)).toMatchObject({ exitCode: 0 });
  const rule = ['--all', '--quote', 'TRY'];
  expect(await rig.cli(['schedule', ...rule, '--from', isoTime(FROM)])).toMatchObject({
    exitCode: 0,
  });
  const ofNamed = { [NAMED_SPOT.symbol]: FROM - HOUR_MS };
  expect(await scheduled('spot')).toEqual({
    ...ofNamed,
    [OLD_SPOT.symbol]: FROM,
    [NEW_SPOT.symbol]: END - HOUR_MS,
  });
  expect(await rig.cli(['unschedule', ...rule])).toMatchObject({ exitCode: 0 });
  expect(await scheduled('spot')).toEqual(ofNamed);
  expect((await app.catalogue.find(spot(NAMED_SPOT.symbol)))?.scheduledBy).toBeUndefined();
}, 120_000);

test('a series of a rule is not unscheduled alone; ending the last rule and series ends the tick', async () => {
  const alone = await rig.cli(['unschedule', LARGE.symbol, '--market', 'um']);
  expect(alone).toMatchObject({ exitCode: 2 });
  expect(alone.stderr).toContain('is scheduled by a rule');
  expect(await rig.cli(['unschedule', NAMED_SPOT.symbol])).toMatchObject({ exitCode: 0 });
  expect(await app.queue.hasTick()).toBe(true);
  expect(await rig.cli(['unschedule', ...RULE])).toMatchObject({ exitCode: 0 });
  expect(await scheduled('um')).toEqual({});
  expect(await app.queue.hasTick()).toBe(false);
  expect(await rig.cli(['unschedule', ...RULE])).toMatchObject({ exitCode: 2 });
}, 120_000);
