import { expect, inject } from 'vitest';
import { HOUR_MS } from '../../src/domain/time/hour.ts';
import { exportSeries, type OrderedExport } from '../support/exports.ts';
import type { Hold } from '../support/tcp-proxy.ts';
import type { CliResult } from '../support/command-line.ts';
import { fault, printFaultTable } from './fault.ts';
import { inPlace, lineWith, type Place, startedCommand, untilReached } from './place.ts';

/**
 * A process is stopped for longer than its leases and locks last, another one does its work, and then the
 * first one continues.
 */

const RUN = { hours: 2, tradesPerHour: 2_500, concurrency: 1 };

interface Outcome {
  readonly late: CliResult;
  /** Trades, ledger and stamps with their writer and time: after the second process, and at the end. */
  readonly before: Readonly<Record<string, OrderedExport>>;
  readonly after: Readonly<Record<string, OrderedExport>>;
}

/**
 * Stops a process at `hold`, lets a second one do all of the work, and continues the first one.
 * @param whileStopped runs before the second one starts
 */
async function overtake(
  place: Place,
  hold: Hold,
  args = place.backfill,
  whileStopped: () => Promise<void> = async () => undefined,
): Promise<Outcome> {
  const tables = async () =>
    exportSeries(place.rig.services, place.symbol, ['agg_trades', 'slices', 'bar_days'], {
      columns: ['*'],
    });
  const { command } = startedCommand(place, args);
  await untilReached(command, hold.reached);
  command.kill('SIGSTOP');
  await whileStopped();
  const second = await place.rig.cli(place.backfill, pastTheProxies());
  expect(second, second.stderr).toMatchObject({ exitCode: 0 });
  const before = await tables();
  hold.release();
  command.kill('SIGCONT');
  const late = await command.done;
  return { late, before, after: await tables() };
}

/** The second process connects to the services directly, so that the hold does not stop it. */
function pastTheProxies(): Record<string, string> {
  const { questdbHttpUrl, questdbPgUrl, redisUrl } = inject('services');
  return {
    QUESTDB_HTTP_URL: questdbHttpUrl,
    QUESTDB_PG_URL: questdbPgUrl,
    REDIS_URL: redisUrl,
  };
}

fault('a process stopped at a batch resumes when the hour is proven', 'slow', async (report) => {
  await inPlace({ ...RUN, services: inject('services') }, async (place) => {
    const hold = place.services.questdbHttp.hold('agg_trades_', 'answer');
    const { late, before, after } = await overtake(place, hold);
    // The ledger row is that of the second process, including its time.
    expect(after).toEqual(before);
    expect(late).toMatchObject({ exitCode: 0 });
    report.saw(lineWith(late, 'lock for job'));
    report.saw(lineWith(late, ' proven, '));
  });
});

fault(
  'a process stopped at a batch resumes before its lease is over, but Redis has lost the lease',
  'slow',
  async (report) => {
    await inPlace({ ...RUN, services: inject('services') }, async (place) => {
      const { rig, services } = place;
      const hold = services.questdbHttp.hold('agg_trades_', 'answer');
      const { late, before, after } = await overtake(place, hold, place.backfill, async () => {
        const leases = await rig.redis().keys(`*${rig.name}:lease:slice-*`);
        expect(leases).not.toEqual([]);
        await rig.redis().del(leases);
        // It can't notice the loss: its refresh gets no answer, nor does the check right before it writes.
        services.redis.hold(':lease:slice-', 'answer');
      });
      expect(after).toEqual(before);
      expect(late).toMatchObject({ exitCode: 5 });
      report.saw(lineWith(late, 'error REDIS_UNREACHABLE'));
    });
  },
);

fault('a process stopped at bars resumes when another has built more', 'slow', async (report) => {
  await inPlace({ ...RUN, services: inject('services') }, async (place) => {
    const toAt = place.backfill.indexOf('--to') + 1;
    const hour = place.backfill.with(toAt, isoHour(place.range.startMs + HOUR_MS));
    const hold = place.services.questdbHttp.hold('cdv_exact_1m,', 'request');
    const { late, before, after } = await overtake(place, hold, hour);
    expect([after['agg_trades'], after['slices']]).toEqual([
      before['agg_trades'],
      before['slices'],
    ]);
    // It has overwritten bars, and has made the day due again.
    expect(after['bar_days']).not.toEqual(before['bar_days']);
    report.saw(lineWith(late, 'lock for job'));
    report.saw(lineWith(late, ' proven, '));
    const again = await place.rig.cli(place.backfill);
    expect(again, again.stderr).toMatchObject({ exitCode: 0 });
  });
});

function isoHour(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

printFaultTable();
