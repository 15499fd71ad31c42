import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { parsePayload } from '../../src/adapters/bullmq/catalogue.ts';
import { archiveId } from '../../src/adapters/bullmq/job-ids.ts';
import { createJobQueue } from '../../src/adapters/bullmq/job-queue.ts';
import { createFeedRun, type FeedRun } from '../../src/app/jobs/feed-run.ts';
import type { App } from '../../src/cli/compose.ts';
import { compactDay, DAY_MS, daysOf, HOUR_MS } from '../../src/domain/time/hour.ts';
import type { ArchiveSource } from '../../src/ports/archive-source.ts';
import type { JobQueue } from '../../src/ports/job-queue.ts';
import { Rig } from '../e2e/rig.ts';
import { NEVER, silentLog, uniqueSeries } from '../support/store.ts';
import { recordOf } from '../support/trades.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

const RANGE = { startMs: Date.UTC(2024, 3, 2), endMs: Date.UTC(2024, 3, 5) };
const DAYS = [...daysOf(RANGE)];
const RUN = { runId: 'run', source: 'rest', ...RANGE } as const;

let rig: Rig;
let app: App;
let proxy: TcpProxy;
let queue: JobQueue;
let feed: FeedRun;

beforeAll(async () => {
  rig = await Rig.start({});
  app = await rig.app();
});

beforeEach(async () => {
  const url = new URL(rig.services.redisUrl);
  proxy = await startTcpProxy(Number(url.port), url.hostname);
  url.host = `127.0.0.1:${proxy.port}`;
  queue = createJobQueue({ redisUrl: url.href, prefix: rig.name, log: silentLog });
  feed = createFeedRun({ ...app, queue });
});

afterEach(async () => {
  await queue.close();
  await proxy.close();
});

afterAll(async () => rig.dispose());

test('days that Redis did not accept are enqueued by the next try', async () => {
  const request = { ...uniqueSeries('FEED'), ...RUN };
  proxy.hang();
  await expect(feed(request, NEVER)).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' });
  await proxy.cut();
  await proxy.heal();
  expect(await feed(request, NEVER)).toMatchObject({ again: {} });
  expect(await app.queue.stretchStates('run', request, DAYS.map(compactDay))).toEqual(
    DAYS.map(() => 'pending'),
  );
});

test('a feed that is aborted enqueues nothing more, and the next feed enqueues all days', async () => {
  const request = { ...uniqueSeries('STOP'), ...RUN };
  await expect(feed(request, AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop');
  expect(await app.queue.stretchStates('run', request, DAYS.map(compactDay))).toEqual(
    DAYS.map(() => 'done'),
  );
  await feed(request, NEVER);
  expect(await app.queue.stretchStates('run', request, DAYS.map(compactDay))).toEqual(
    DAYS.map(() => 'pending'),
  );
});

test('a feed looks for the end of its days less and less often, a scheduled one least', async () => {
  let nowMs = RANGE.endMs + DAY_MS;
  const clock = { ...app.clock, nowMs: () => nowMs };
  async function delays(isScheduled: boolean): Promise<readonly number[]> {
    const run = createFeedRun({ ...app, queue, clock });
    const request = { ...uniqueSeries('END'), ...RUN, isScheduled };
    const seen: number[] = [];
    for (const afterMs of [0, 100, 1_500, 6_400, 100_000]) {
      nowMs += afterMs;
      const outcome = await run(request, NEVER);
      seen.push('again' in outcome ? outcome.again.delayMs : 0);
    }
    return seen;
  }
  expect(await delays(false)).toEqual([100, 100, 200, 1_000, 1_000]);
  expect(await delays(true)).toEqual([100, 100, 200, 1_000, 10_000]);
});

test('a day of a stretch that is taken by REST does not split it', async () => {
  const series = uniqueSeries('SPLIT');
  const [first, second, third] = DAYS as [number, number, number];
  // Of the second day two hours are due: too few for its file.
  const records = Array.from({ length: 22 }, (_, hour) => ({
    ...recordOf(second + hour * HOUR_MS, 1_000 + hour * 10, 10),
    ...series,
  }));
  await app.ledger.write(
    records.map((record) => ({ record, gaps: [] })),
    second,
  );
  const files = DAYS.map((dayMs) => ({ name: `${dayMs}.zip`, bytes: 30_000, etag: undefined }));
  const archive: ArchiveSource = {
    ...app.archive,
    list: async () => ({
      days: new Map(DAYS.map((dayMs, index) => [dayMs, files[index] ?? raise()])),
      months: new Map(),
    }),
  };
  const request = { ...series, ...RUN, source: 'auto' } as const;
  const source = { historyMs: () => Infinity, isTrading: async () => true };
  await createFeedRun({ ...app, queue, archive, source })(request, NEVER);
  const name = `${compactDay(first)}-${compactDay(third)}`;
  expect(await app.queue.stretchStates('run', request, [name, compactDay(second)])).toEqual([
    'pending',
    'pending',
  ]);
  const job = await rig.raw('archive').getJob(archiveId('run', series, name));
  const { days } = parsePayload('archive', job?.data);
  expect(days.map(({ dayMs }) => dayMs)).toEqual([first, third]);
});

function raise(): never {
  throw new Error('no such file');
}
