import { expect, inject } from 'vitest';
import { HOUR_MS } from '../../src/domain/time/hour.ts';
import { exportSeries, type OrderedExport } from '../support/exports.ts';
import type { Hold } from '../support/tcp-proxy.ts';
import type { CliResult } from '../support/command-line.ts';
import { fault, printFaultTable } from './fault.ts';
import { inPlace, lineWith, type Place, startedCommand, untilReached } from './place.ts';

/**
 * A process that is stopped for longer than its leases and locks last, while another does its work,
 * and then goes on as if nothing had happened.
 */

const RUN = { hours: 2, tradesPerHour: 2_500, concurrency: 1 };

interface Outrun {
  readonly late: CliResult;
  /** Trades, ledger and stamps with who wrote them and when: as the second one left them, and in the end. */
  readonly before: Readonly<Record<string, OrderedExport>>;
  readonly after: Readonly<Record<string, OrderedExport>>;
}

/**
 * Stops a process at `hold`, lets a second one do the whole of the work, and wakes the first one up.
 * @param whileStopped before the second one begins
 */
async function outrun(
  place: Place,
  hold: Hold,
  args = place.backfill,
  whileStopped: () => Promise<void> = async () => undefined,
): Promise<Outrun> {
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

/** What holds the first process does not hold the second. */
function pastTheProxies(): Record<string, string> {
  const { questdbHttpUrl, questdbPgUrl, redisUrl } = inject('services');
  return {
    QUESTDB_HTTP_URL: questdbHttpUrl,
    QUESTDB_PG_URL: questdbPgUrl,
    REDIS_URL: redisUrl,
  };
}

fault('back with a batch after another has proven the hour', 'slow', async (report) => {
  await inPlace({ ...RUN, services: inject('services') }, async (place) => {
    const hold = place.services.questdbHttp.hold('agg_trades,', 'answer');
    const { late, before, after } = await outrun(place, hold);
    // The ledger row is the second one's, to its time of writing.
    expect(after).toEqual(before);
    expect(late).toMatchObject({ exitCode: 0 });
    report.saw(lineWith(late, 'lock for job'));
    report.saw(lineWith(late, ' proven, '));
  });
});

fault(
  'back with a batch before its lease is over, which Redis has forgotten',
  'slow',
  async (report) => {
    await inPlace({ ...RUN, services: inject('services') }, async (place) => {
      const { rig, services } = place;
      const hold = services.questdbHttp.hold('agg_trades,', 'answer');
      const { late, before, after } = await outrun(place, hold, place.backfill, async () => {
        const leases = await rig.redis().keys(`*${rig.name}:lease:slice-*`);
        expect(leases).not.toEqual([]);
        await rig.redis().del(leases);
        // Nobody tells it: neither its own refresh, nor the look right before it writes.
        services.redis.hold(':lease:slice-', 'answer');
      });
      expect(after).toEqual(before);
      expect(late).toMatchObject({ exitCode: 5 });
      report.saw(lineWith(late, 'error REDIS_UNREACHABLE'));
    });
  },
);

fault('back with bars of an hour after another has built two', 'slow', async (report) => {
  await inPlace({ ...RUN, services: inject('services') }, async (place) => {
    const toAt = place.backfill.indexOf('--to') + 1;
    const hour = place.backfill.with(toAt, isoHour(place.range.startMs + HOUR_MS));
    const hold = place.services.questdbPg.hold('INSERT ATOMIC INTO cdv_exact_1m', 'request');
    const { late, before, after } = await outrun(place, hold, hour);
    expect([after['agg_trades'], after['slices']]).toEqual([
      before['agg_trades'],
      before['slices'],
    ]);
    // It has overwritten bars, and says so by making the day due again.
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
