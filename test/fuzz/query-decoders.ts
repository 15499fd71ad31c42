/** What a user or another program may send: queries of the HTTP API, and jobs in Redis. */

import { createApi, ENDPOINTS } from '../../src/adapters/http/api/routes.ts';
import { CdvaultError } from '../../src/domain/errors.ts';
import { parsePayload } from '../../src/adapters/bullmq/catalogue.ts';
import { createChartReads } from '../../src/adapters/questdb/chart-reads.ts';
import { createLedger } from '../../src/adapters/questdb/ledger.ts';
import { createLimitedSql } from '../../src/adapters/questdb/limited-sql.ts';
import { createPrunings } from '../../src/adapters/questdb/prunings.ts';
import { createSeriesCatalogue } from '../../src/adapters/questdb/series-catalogue.ts';
import { QuestdbStoredBars } from '../../src/adapters/questdb/stored-bars.ts';
import { createTradeReads } from '../../src/adapters/questdb/trade-reads.ts';
import { systemClock } from '../../src/adapters/system/clock.ts';
import { timeZones } from '../../src/adapters/system/time-zones.ts';
import { createChartData } from '../../src/app/chart/chart-data.ts';
import { createChartEvents } from '../../src/app/chart/chart-events.ts';
import { createStoredSeries } from '../../src/app/chart/stored-series.ts';
import type { JobKind, JobPayloads } from '../../src/ports/job-queue.ts';
import type { Log } from '../../src/ports/log.ts';
import { assert, type Decoder } from './decoder.ts';
import { mutated, pick, type Random } from './mutations.ts';

const log: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** Nobody listens at port 9: a query that is understood ends with STORE_UNREACHABLE. */
function openApi() {
  const limits = { queryMs: 1_000, running: 4, waiting: 10 };
  const sql = createLimitedSql('postgresql://nobody:none@127.0.0.1:9/qdb', limits);
  const ledger = createLedger(sql);
  const reads = createChartReads(sql);
  const data = createChartData({
    bars: new QuestdbStoredBars(sql),
    ledger,
    series: createStoredSeries({ ledger, catalogue: createSeriesCatalogue(sql), reads }),
    prunings: createPrunings(sql),
    reads,
    trades: createTradeReads(sql),
    zones: timeZones,
    clock: systemClock,
  });
  const status = async () =>
    Promise.reject(new CdvaultError('STORE_UNREACHABLE', 'there is no store'));
  const events = createChartEvents({ reads, status, clock: systemClock, log });
  const zones = timeZones;
  return createApi({ dataFor: () => data, events, zones, clock: systemClock, version: '1', log });
}

const api = openApi();
const RANGE = 'market=spot&symbol=BTCUSDT&from=2024-01-01&to=2024-01-02';
const PATHS = ENDPOINTS.map(({ path }) => path).filter((path) => path !== '/events');
const MORE = [
  '',
  '&interval=1h&anchor=session:09:30@America/New_York',
  '&exact=true&times=iso&sql=true',
  '&afterId=123456&tier=10000&bin=0.5&columns=time,close',
];
const QUERIES = PATHS.flatMap((path) => MORE.map((more) => Buffer.from(`${path}?${RANGE}${more}`)));

interface Answered {
  readonly status: number;
  readonly text: string;
}

const query: Decoder = {
  name: 'query of the HTTP API',
  samples: QUERIES,
  codes: [],
  make: (samples, random) => withPath(mutated(samples, random), random),
  async decode(bytes): Promise<Answered> {
    const url = new URL(`http://127.0.0.1/${bytes.toString('latin1').replace(/^\/+/, '')}`);
    const response = await api.request(url.pathname + url.search);
    return { status: response.status, text: await response.text() };
  },
  check(_, { status, text }: Answered) {
    const { error } = JSON.parse(text) as { error?: { code: string; message: string } };
    const isRefusal =
      [400, 404].includes(status) && error !== undefined && error.code !== 'INTERNAL';
    const isStore = status === 503 && error?.code === 'STORE_UNREACHABLE';
    assert(status === 200 || isRefusal || isStore, `HTTP ${status}: ${text.slice(0, 200)}`);
    assert(
      (error?.message.length ?? 0) < 1_500,
      `a message of ${error?.message.length} characters`,
    );
  },
};

/** Half of the damage hits the path, which is short: most of it should hit what comes after. */
function withPath(bytes: Buffer, random: Random): Buffer {
  const mark = bytes.indexOf('?');
  if (mark < 0 || random() < 0.2) return bytes;
  return Buffer.concat([Buffer.from(pick(random, PATHS)), bytes.subarray(mark)]);
}

const HOUR_MS = 3_600_000;
const SERIES = { market: 'binance_spot', symbol: 'BTCUSDT' } as const;
const RUN = { ...SERIES, runId: 'run-1' };
const DAY = { dayMs: Date.UTC(2024, 0, 1), hours: [Date.UTC(2024, 0, 1, 5)] };

const JOBS: { readonly [K in JobKind]: JobPayloads[K] } = {
  feed: { ...RUN, startMs: 0, endMs: HOUR_MS, source: 'dir:/archive', isScheduled: true },
  archive: { ...RUN, stretch: '20240101-20240131', days: [{ ...DAY, edges: ['before'] }] },
  slice: { ...RUN, hourMs: 5 * HOUR_MS, refetch: true },
  bars: { ...RUN, days: [Date.UTC(2024, 0, 1), Date.UTC(2024, 0, 2)] },
  chain: { ...SERIES },
  tick: {},
};

const KINDS = Object.keys(JOBS) as JobKind[];

const job: Decoder = {
  name: 'job in Redis',
  samples: KINDS.map((kind) => Buffer.from(JSON.stringify({ kind, data: JOBS[kind] }))),
  codes: ['JOB_INVALID'],
  decode(bytes, random) {
    const given = parsed(bytes);
    const isNamed = KINDS.some((kind) => kind === given.kind);
    const kind = isNamed ? (given.kind as JobKind) : pick(random, KINDS);
    return { kind, payload: parsePayload(kind, given.data) };
  },
  check(_, { kind, payload }: { readonly kind: JobKind; readonly payload: object }) {
    const fields = payload as Readonly<Record<string, unknown>>;
    const numbers = [fields['hourMs'], fields['startMs'], fields['endMs'], fields['days']].flat(2);
    for (const each of numbers)
      assert(
        typeof each !== 'number' || (Number.isSafeInteger(each) && each >= 0),
        `the number ${String(each)}`,
      );
    const { symbol = 'X' } = fields;
    assert(
      typeof symbol === 'string' && /^[^\s/\\:'"]+$/.test(symbol) && !/^\.+$/.test(symbol),
      `the symbol ${JSON.stringify(symbol)}`,
    );
    const unknown = Object.keys(fields).filter(
      (name) => !(name in JOBS[kind]) && name !== 'source',
    );
    assert(unknown.length === 0, `${kind} with ${unknown.join(', ')}`);
  },
};

function parsed(bytes: Buffer): { kind?: unknown; data?: unknown } {
  try {
    return Object(JSON.parse(bytes.toString('utf8'))) as { kind?: unknown; data?: unknown };
  } catch {
    // BullMQ reads the JSON: text that is none never gets to us.
    return {};
  }
}

export const queryDecoders: readonly Decoder[] = [query, job];
