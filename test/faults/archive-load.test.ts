import { expect, inject } from 'vitest';
import { fault, printFaultTable } from './fault.ts';
import { inPlace, killAndRepeat, lineWith, startedCommand, untilReached } from './place.ts';

/** Faults while a day from its archive file is stored by one streamed request. */

/** The day is then a request of some 5 MB in twenty pieces. */
const RUN = { hours: 24, tradesPerHour: 2_000, isArchived: true };
/** An id in the middle of the day; `hold` finds it in the request. */
const MIDDLE = 'agg_id=26000i,';

fault('kill -9 in the middle of the request that stores a file', 'slow', async (report) => {
  await inPlace({ ...RUN, services: inject('services') }, async (place) => {
    const middle = place.services.questdbHttp.hold(MIDDLE, 'request');
    const tables = { left: ['series'], missing: ['agg_trades', 'slices'] };
    report.saw(await killAndRepeat(place, { reached: middle.reached, ...tables }));
  });
});

fault('kill -9 with a file that is stored and not recorded', 'slow', async (report) => {
  await inPlace({ ...RUN, services: inject('services') }, async (place) => {
    const row = place.services.questdbPg.hold('INSERT INTO slices', 'request');
    const tables = { left: ['agg_trades'], missing: ['slices', 'bar_days'] };
    report.saw(await killAndRepeat(place, { reached: row.reached, ...tables }));
  });
});

/** Three thin days of one month: one job, one request, one flush of ledger rows, one batch of bars. */
const STRETCH = { hours: 72, tradesPerHour: 200, isArchived: true };
/** An id of the second day, and the first minute of the third. */
const STRETCH_MIDDLE = 'agg_id=7500i,';
const THIRD_DAY = ` ${Date.UTC(2024, 8, 4)}000t`;

fault('kill -9 in the middle of the request that stores a stretch', 'slow', async (report) => {
  await inPlace({ ...STRETCH, services: inject('services') }, async (place) => {
    const middle = place.services.questdbHttp.hold(STRETCH_MIDDLE, 'request');
    const tables = { left: ['series'], missing: ['agg_trades', 'slices', 'archive_files'] };
    report.saw(await killAndRepeat(place, { reached: middle.reached, ...tables }));
  });
});

fault('kill -9 with a stretch that is stored and not recorded', 'slow', async (report) => {
  await inPlace({ ...STRETCH, services: inject('services') }, async (place) => {
    const rows = place.services.questdbPg.hold('INSERT INTO slices', 'request');
    const tables = { left: ['agg_trades'], missing: ['slices', 'archive_files', 'bar_days'] };
    report.saw(await killAndRepeat(place, { reached: rows.reached, ...tables }));
  });
});

fault('kill -9 with half a stretch recorded: its hours, not its files', 'slow', async (report) => {
  await inPlace({ ...STRETCH, services: inject('services') }, async (place) => {
    const files = place.services.questdbPg.hold('INSERT INTO archive_files', 'request');
    const tables = { left: ['agg_trades', 'slices'], missing: ['archive_files', 'bar_days'] };
    report.saw(await killAndRepeat(place, { reached: files.reached, ...tables }));
  });
});

fault('kill -9 with the bars of a batch half written', 'slow', async (report) => {
  await inPlace({ ...STRETCH, services: inject('services') }, async (place) => {
    const third = place.services.questdbHttp.hold(THIRD_DAY, 'request');
    const tables = { left: ['slices', 'bar_days'], missing: ['cdv_exact_1m', 'tiers_exact_1d'] };
    report.saw(await killAndRepeat(place, { reached: third.reached, ...tables }));
  });
});

fault('kill -9 with the bars of a batch written, before their stamps', 'slow', async (report) => {
  await inPlace({ ...STRETCH, services: inject('services') }, async (place) => {
    const bars = place.services.questdbHttp.hold(THIRD_DAY, 'answer');
    const tables = { left: ['slices', 'bar_days', 'cdv_exact_1m'], missing: ['anchors'] };
    report.saw(await killAndRepeat(place, { reached: bars.reached, ...tables }));
  });
});

fault(
  'QuestDB is cut off in the middle of the request that stores a file',
  'quick',
  async (report) => {
    await inPlace({ ...RUN, services: inject('services') }, async (place) => {
      const { questdbHttp } = place.services;
      const middle = questdbHttp.hold(MIDDLE, 'request');
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
