import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect } from 'vitest';
import type { ServiceUrls } from '../../src/adapters/services/types.ts';
import { makeOwnServices, type OwnServices } from '../support/own-services.ts';
import { fault, printFaultTable } from './fault.ts';
import { inPlace, lineWith, startedBackfill, untilProven } from './place.ts';

/** Faults of Redis: killed, emptied, unreachable, full. The file starts its own Redis. */

let own: OwnServices;
let services: ServiceUrls;

beforeAll(async () => {
  own = await makeOwnServices();
  services = await own.start();
});

afterAll(async () => own.dispose());

// About three pages an hour, two hours at a time: a run takes some seconds.
const RUN = { hours: 6, tradesPerHour: 2_500, concurrency: 2, latencyMs: 60 };

fault('Redis is killed during a run and started again on its data', 'slow', async (report) => {
  await inPlace({ ...RUN, services }, async (place) => {
    const command = await startedBackfill(place);
    await own.kill('redis');
    await own.start();
    const result = await command.done;
    report.saw(lineWith(result, 'Redis connection failed'));
    // Complete; or, on a slow machine, ended because Redis did not answer for five seconds.
    expect([0, 5]).toContain(result.exitCode);
    report.saw(lineWith(result, result.exitCode === 0 ? ' proven, ' : 'error '));
    expect(await place.rig.cli(place.backfill)).toMatchObject({ exitCode: 0 });
  });
});

fault('Redis is emptied during a run', 'quick', async (report) => {
  await inPlace({ ...RUN, services }, async (place) => {
    const command = await startedBackfill(place);
    await place.rig.redis().flushall();
    const result = await command.done;
    expect(result).toMatchObject({ exitCode: 4 });
    report.saw(lineWith(result, 'run the same command to continue'));
    expect(await place.rig.cli(place.backfill)).toMatchObject({ exitCode: 0 });
  });
});

fault('Redis is unreachable until the command gives up', 'slow', async (report) => {
  await inPlace({ ...RUN, services }, async (place) => {
    const command = await startedBackfill(place);
    await place.services.redis.cut();
    const result = await command.done;
    expect(result).toMatchObject({ exitCode: 5 });
    report.saw(lineWith(result, 'error REDIS_UNREACHABLE: '));
    expect(result.stderr).toContain('No data is lost; run the same command again');
    expect(await place.rig.cli(place.backfill)).toMatchObject({ exitCode: 5 });
    await place.services.redis.heal();
    expect(await place.rig.cli(place.backfill)).toMatchObject({ exitCode: 0 });
  });
});

fault('Redis is unreachable for a minute: a worker recovers by itself', 'slow', async (report) => {
  await inPlace({ ...RUN, services }, async (place) => {
    const { rig, app, backfill } = place;
    expect(await rig.cli([...backfill, '--detach'])).toMatchObject({ exitCode: 0 });
    const worker = rig.startCli(['worker'], undefined, { CDVAULT_LOG: 'warn' });
    await untilProven(place, 1);
    await place.services.redis.cut();
    await sleep(60_000);
    await place.services.redis.heal();
    await untilProven(place, RUN.hours);
    await rig.untilIdle(app);
    worker.kill('SIGTERM');
    const result = await worker.done;
    expect(result).toMatchObject({ exitCode: 0 });
    report.saw(lineWith(result, 'Redis connection failed'));
    // One line a minute for each connection and message, not one for each attempt.
    expect(result.stderr.split('\n').length).toBeLessThan(60);
  });
});

fault('Redis is full during a run and at the next start', 'slow', async (report) => {
  await inPlace({ ...RUN, services }, async (place) => {
    const { rig, backfill } = place;
    const command = await startedBackfill(place);
    // Less than an empty Redis needs.
    await rig.redis().config('SET', 'maxmemory', '500kb');
    const full = /error REDIS_REFUSED: .*OOM command not allowed when used memory > 'maxmemory'/;
    for (const result of [await command.done, await rig.cli(backfill)]) {
      expect(result).toMatchObject({ exitCode: 7, stderr: expect.stringMatching(full) });
      expect(result.stderr).toContain('Check REDIS_URL and the server’s maxmemory');
      report.saw(lineWith(result, 'error REDIS_REFUSED: '));
    }
    await rig.redis().config('SET', 'maxmemory', '0');
    expect(await rig.cli(backfill)).toMatchObject({ exitCode: 0 });
  });
});

printFaultTable();
