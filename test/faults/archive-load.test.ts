import { expect, inject } from 'vitest';
import { DAY_MS, HOUR_MS } from '../../src/domain/time/hour.ts';
import { Rig } from '../e2e/rig.ts';
import { startArchiveServer } from '../exchange/archive-server.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { unique } from '../support/command-line.ts';
import { tablesWith } from '../support/exports.ts';
import { proxyServices } from '../support/proxied-services.ts';
import { expectNothingLost, fault, printFaultTable } from './fault.ts';
import { lineWith, type Place, startedCommand, untilReached } from './place.ts';

/** Faults while a day from its archive file is stored by one streamed request. */

const DAY = Date.UTC(2024, 8, 2);
/** A day is then a request of some 5 MB in twenty pieces. */
const TRADES_PER_HOUR = 2_000;
/** An id in the middle of the day; `hold` finds it in the request. */
const MIDDLE_ID = 26_000;

async function onArchiveDay(body: (place: Place) => Promise<void>): Promise<void> {
  const range = { startMs: DAY, endMs: DAY + DAY_MS };
  const trades = syntheticTrades({
    seed: 102,
    fromMs: range.startMs - HOUR_MS,
    toMs: range.endMs + HOUR_MS,
    tradesPerHour: TRADES_PER_HOUR,
    firstId: 1,
  });
  const services = await proxyServices(inject('services'));
  const symbol = unique('LOAD');
  const server = await startArchiveServer([{ symbol, trades }]);
  const rig = await Rig.start({
    symbols: [{ symbol, trades }],
    services: services.urls,
    archiveUrl: server.url,
  });
  const backfill = ['backfill', symbol, '--from', '2024-09-02', '--to', '2024-09-03'];
  try {
    const app = await rig.app();
    await body({ services, rig, app, symbol, trades, range, backfill });
    await expectNothingLost({ rig, app, symbol, trades, range });
  } finally {
    await rig.dispose();
    await server.close();
    await services.close();
  }
}

async function killAndRepeat(
  place: Place,
  reached: Promise<void>,
  left: { readonly some: readonly string[]; readonly none: readonly string[] },
): Promise<string> {
  const command = place.rig.startCli(place.backfill);
  await untilReached(command, reached);
  command.kill('SIGKILL');
  expect(await command.done).toMatchObject({ exitCode: undefined });
  const found = await tablesWith(place.app.sql, place.symbol);
  expect(found).toEqual(expect.arrayContaining([...left.some]));
  expect(found.filter((table) => left.none.includes(table))).toEqual([]);
  const again = await place.rig.cli(place.backfill);
  expect(again, again.stderr).toMatchObject({ exitCode: 0 });
  return lineWith(again, ' proven, ');
}

fault('kill -9 in the middle of the request that stores a file', 'slow', async (report) => {
  await onArchiveDay(async (place) => {
    const middle = place.services.questdbHttp.hold(`agg_id=${MIDDLE_ID}i,`, 'request');
    const left = { some: ['series'], none: ['agg_trades', 'slices'] };
    report.saw(await killAndRepeat(place, middle.reached, left));
  });
});

fault('kill -9 with a file that is stored and not recorded', 'slow', async (report) => {
  await onArchiveDay(async (place) => {
    const row = place.services.questdbPg.hold('INSERT INTO slices', 'request');
    const left = { some: ['agg_trades'], none: ['slices', 'bar_days'] };
    report.saw(await killAndRepeat(place, row.reached, left));
  });
});

fault(
  'QuestDB is cut off in the middle of the request that stores a file',
  'quick',
  async (report) => {
    await onArchiveDay(async (place) => {
      const { questdbHttp } = place.services;
      const middle = questdbHttp.hold(`agg_id=${MIDDLE_ID}i,`, 'request');
      const { command } = startedCommand(place);
      await untilReached(command, middle.reached);
      await questdbHttp.cut();
      await questdbHttp.heal();
      const result = await command.done;
      report.saw(lineWith(result, 'reading again'));
      report.saw(lineWith(result, ' proven, '));
      expect(result, result.stderr).toMatchObject({ exitCode: 0 });
    });
  },
);

printFaultTable();
