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
