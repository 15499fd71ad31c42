import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect } from 'vitest';
import type { ServiceUrls } from '../../src/adapters/services/types.ts';
import { devModeEnv, makeOwnServices, type OwnServices } from '../support/own-services.ts';
import { tradesTable } from '../support/store.ts';
import { fault, printFaultTable } from './fault.ts';
import {
  inPlace,
  lineWith,
  startedBackfill,
  startedCommand,
  untilProven,
  untilReached,
} from './place.ts';

/** Faults of QuestDB: killed, unreachable, silent, slow, a suspended table. The file starts its own QuestDB. */

let own: OwnServices;
let services: ServiceUrls;

beforeAll(async () => {
  own = await makeOwnServices(devModeEnv());
  services = await own.start();
});

afterAll(async () => own.dispose());

// About three pages an hour, two hours at a time: a run takes some seconds.
const RUN = { hours: 6, tradesPerHour: 2_500, concurrency: 2, latencyMs: 60 };

fault('QuestDB is killed during a flush and started again', 'slow', async (report) => {
  await inPlace({ ...RUN, services }, async (place) => {
    const flush = place.services.questdbHttp.hold('agg_trades_', 'request');
    const { command } = startedCommand(place);
    await untilReached(command, flush.reached);
    await own.kill('questdb');
    flush.release();
    await own.start();
    const result = await command.done;
    report.saw(lineWith(result, 'STORE_UNREACHABLE'));
    report.saw(lineWith(result, ' proven, '));
    expect(result).toMatchObject({ exitCode: 0 });
  });
});

fault('QuestDB refuses connections for ten seconds', 'slow', async (report) => {
  await inPlace({ ...RUN, services }, async (place) => {
    const { questdbHttp, questdbPg } = place.services;
    const command = await startedBackfill(place);
    await Promise.all([questdbHttp.cut(), questdbPg.cut()]);
    await sleep(10_000);
    await Promise.all([questdbHttp.heal(), questdbPg.heal()]);
    const result = await command.done;
    report.saw(lineWith(result, 'STORE_UNREACHABLE'));
    report.saw(lineWith(result, ' proven, '));
    expect(result).toMatchObject({ exitCode: 0 });
  });
});

fault('QuestDB accepts connections and never answers, at the start', 'slow', async (report) => {
  await inPlace({ ...RUN, services }, async (place) => {
    const { questdbHttp, questdbPg } = place.services;
    questdbHttp.hang();
    questdbPg.hang();
    const result = await place.rig.cli(place.backfill);
    expect(result).toMatchObject({ exitCode: 5 });
    report.saw(lineWith(result, 'error STORE_UNREACHABLE: '));
    await Promise.all([questdbHttp.heal(), questdbPg.heal()]);
    expect(await place.rig.cli(place.backfill)).toMatchObject({ exitCode: 0 });
  });
});

fault(
  'QuestDB accepts connections and never answers, during a run',
  'slow',
  async (report) => {
    await inPlace({ ...RUN, services }, async (place) => {
      const { questdbHttp, questdbPg } = place.services;
      const { command, said } = startedCommand(place);
      await untilProven(place, 1);
      questdbHttp.hang();
      questdbPg.hang();
      await said('STORE_UNREACHABLE');
      await Promise.all([questdbHttp.heal(), questdbPg.heal()]);
      const result = await command.done;
      report.saw(lineWith(result, 'STORE_UNREACHABLE'));
      report.saw(lineWith(result, ' proven, '));
      expect(result).toMatchObject({ exitCode: 0 });
    });
  },
  300_000,
);

fault(
  'QuestDB answers a flush after the deadline: the batch is sent twice',
  'slow',
  async (report) => {
    await inPlace({ ...RUN, concurrency: 1, services }, async (place) => {
      const first = place.services.questdbHttp.hold('agg_trades_', 'answer');
      const { command } = startedCommand(place);
      await untilReached(command, first.reached);
      const second = place.services.questdbHttp.hold('agg_trades_', 'request');
      await untilReached(command, second.reached);
      first.release();
      second.release();
      const result = await command.done;
      report.saw(lineWith(result, 'trying again'));
      report.saw(lineWith(result, ' proven, '));
      expect(result).toMatchObject({ exitCode: 0 });
    });
  },
);

fault('QuestDB suspends the table of trades', 'quick', async (report) => {
  await inPlace({ ...RUN, services }, async (place) => {
    const { rig, app, backfill } = place;
    // Held, so that the fault happens during the run, however fast it is.
    const flush = place.services.questdbHttp.hold('agg_trades_', 'request');
    const { command } = startedCommand(place);
    await untilReached(command, flush.reached);
    const table = await tradesTable(app.sql, place.symbol);
    await app.sql.query(`ALTER TABLE ${table} SUSPEND WAL`);
    flush.release();
    for (const result of [await command.done, await rig.cli(backfill)]) {
      expect(result).toMatchObject({ exitCode: 7 });
      expect(result.stderr).toContain('error TABLE_SUSPENDED: ');
      expect(result.stderr).toContain(`[tableName=${table}]`);
      expect(result.stderr).toContain(
        'run ALTER TABLE <name> RESUME WAL and the same command again',
      );
      report.saw(lineWith(result, 'error TABLE_SUSPENDED: '));
    }
    await app.sql.query(`ALTER TABLE ${table} RESUME WAL`);
    expect(await rig.cli(backfill)).toMatchObject({ exitCode: 0 });
  });
});

printFaultTable();
