import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { App } from '../../src/cli/compose.ts';
import { ERRORS } from '../../src/domain/error-catalogue.ts';
import { DAY_MS, HOUR_MS } from '../../src/domain/time/hour.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { unique } from '../support/command-line.ts';
import { type HostName, HostNetwork, whyNoHosts } from '../support/host-network.ts';
import { HostsLab, type LogLine, logLines, mostWeight } from './hosts-lab.ts';
import { truth } from './reference.ts';
import { eventually, Rig } from './rig.ts';

const DAY = Date.UTC(2024, 9, 7);
const RANGE = { startMs: DAY, endMs: DAY + 2 * DAY_MS };
const WINDOW_MS = 5_000;
const WEIGHT_LIMIT = 160;
const CUT_MS = 10_000;
const HOSTS = ['a', 'b', 'c'] as const;
/** `a` and `b` share an address. */
const EGRESS: Readonly<Record<HostName, string>> = { a: 'office', b: 'office', c: 'home' };

const listed = [1, 2].map((seed) => ({
  symbol: unique(`HOSTS${seed}`),
  trades: syntheticTrades({
    seed,
    fromMs: RANGE.startMs - HOUR_MS,
    toMs: RANGE.endMs + HOUR_MS,
    tradesPerHour: 1_500,
    firstId: seed * 1_000_000,
  }),
}));
const SYMBOLS = listed.map(({ symbol }) => symbol);
const HOURS = (listed.length * (RANGE.endMs - RANGE.startMs)) / HOUR_MS;
const why = whyNoHosts();
/** As the log writes it. */
const WARN = 40;

let network: HostNetwork;
let lab: HostsLab;
let rig: Rig;

beforeAll(async () => {
  if (why !== undefined) return;
  network = HostNetwork.open();
  lab = await HostsLab.open(network, inject('services'));
  rig = await Rig.start({
    symbols: listed,
    host: network.here,
    weightByAddress: true,
    enforceWeight: true,
    weightLimit: WEIGHT_LIMIT,
    weightWindow: { interval: 'SECOND', intervalNum: WINDOW_MS / 1000 },
    latencyMs: 20,
  });
});

afterAll(async () => {
  await lab?.close();
  await rig?.dispose();
});

test('three hosts with URLs alone prove a range, though one is cut off in the middle', async (context) => {
  if (why !== undefined) return context.skip(why);
  const done: Record<HostName, string[]> = { a: [], b: [], c: [] };
  const total = () => HOSTS.reduce((sum, host) => sum + done[host].length, 0);
  const counts = () => ({ a: done.a.length, b: done.b.length, c: done.c.length });
  const queued = await lab.start(
    'c',
    ['backfill', ...SYMBOLS, ...rangeArgs(), '--source', 'rest', '--detach'],
    settings('c'),
  ).done;
  expect(queued.exitCode, queued.stderr).toBe(0);
  const workers = HOSTS.map((host) =>
    lab.start(host, ['worker'], settings(host), (text) => {
      const [line] = logLines({ stderr: text });
      if (line !== undefined && isDoneSlice(line)) done[host].push(`${line.symbol} ${line.part}`);
    }),
  );

  await eventually('a quarter of the hours', () => done.a.length > 2 && total() > HOURS / 4);
  network.cut('a');
  const [cutAtMs, before] = [Date.now(), counts()];
  const refused = await lab.start('a', ['status'], settings('a')).done;
  await sleep(Math.max(0, cutAtMs + CUT_MS - Date.now()));
  network.heal('a');
  const [healedAtMs, healed] = [Date.now(), counts()];
  const app = await rig.app();
  await eventually('all hours are proven', async () => (await provenHours(app)) === HOURS);
  await rig.untilIdle(app);
  const overAtMs = Date.now();
  for (const worker of workers) worker.kill();
  const ended = await Promise.all(workers.map(async (worker) => worker.done));

  const used = mostWeight(rig.exchange.requests.entries, WINDOW_MS);
  console.table(
    HOSTS.map((host) => ({
      host,
      'egress address': network.egressOf(host),
      'most weight in 5 s': `${used.get(network.egressOf(host)) ?? 0} of ${WEIGHT_LIMIT}`,
      'hours before the cut': before[host],
      'during it': healed[host] - before[host],
      'after it': done[host].length - healed[host],
    })),
  );
  console.log(
    `a was cut off for ${healedAtMs - cutAtMs} ms; all was over ${overAtMs - healedAtMs} ms later`,
  );

  // The command of the host that is cut off says what it cannot reach, and a worker says so and goes on.
  expect(refused).toMatchObject({ exitCode: 5, stdout: '' });
  expect(refused.stderr).toMatch(/^error REDIS_UNREACHABLE: Redis did not answer at 198\.18\./);
  expect(ended.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
  const [ofA = [], ofB = [], ofC = []] = ended.map(logLines);
  expect([...ofA, ...ofB, ...ofC].filter(({ level }) => level > WARN)).toEqual([]);
  expect(ofA.filter(({ level }) => level === WARN).map(({ msg }) => msg)).toContain(
    'A worker of slice jobs reported an error',
  );
  const failed = ofA.flatMap(({ outcome, code }) => (outcome === 'failed' && code) || []);
  expect(failed).toContain('REDIS_UNREACHABLE');
  expect(failed.filter((code) => !ERRORS[code].retryable)).toEqual([]);
  expect([...ofB, ...ofC].filter(({ outcome }) => outcome === 'failed')).toEqual([]);

  // Each host did its part, the one that was cut off also after it was back.
  expect(healed.a).toBe(before.a);
  expect(done.a.length).toBeGreaterThan(healed.a);
  for (const host of HOSTS) expect(done[host].length, host).toBeGreaterThan(HOURS / 20);

  // No address used more than its limit, and no hour was stored twice.
  const { entries } = rig.exchange.requests;
  expect([...used.keys()].toSorted()).toEqual([network.egressOf('a'), network.egressOf('c')]);
  expect(Math.max(...used.values())).toBeLessThanOrEqual(WEIGHT_LIMIT);
  expect(entries.filter(({ status }) => status === 429 || status === 418)).toEqual([]);
  expect(rig.exchange.requests.violations()).toEqual([]);
  const hours = HOSTS.flatMap((host) => done[host]);
  expect(hours.toSorted()).toEqual([...new Set(hours)].toSorted());
  expect(hours).toHaveLength(HOURS);
  const verified = await lab.start(
    'b',
    ['verify', ...SYMBOLS, ...rangeArgs(), '--no-klines'],
    settings('b'),
  ).done;
  expect(verified.exitCode, verified.stdout + verified.stderr).toBe(0);
  for (const { symbol, trades } of listed) {
    const [row] = await app.sql.query(
      `SELECT count() AS stored FROM trades_spot_${symbol.toLowerCase()}`,
    );
    expect(Number(row?.['stored'])).toBe(truth(trades, RANGE).length);
  }
}, 300_000);

function settings(host: HostName) {
  return {
    exchangeUrl: rig.exchange.url,
    name: rig.name,
    BINANCE_ARCHIVE_URL: rig.archiveUrl,
    CDVAULT_EGRESS: `${rig.name}-${EGRESS[host]}`,
    CDVAULT_WEIGHT_SHARE: '0.9',
    CDVAULT_CONCURRENCY: '12',
    CDVAULT_LOG: 'info',
  };
}

function rangeArgs(): string[] {
  const [from = '', to = ''] = [RANGE.startMs, RANGE.endMs].map((ms) => new Date(ms).toISOString());
  return ['--from', from, '--to', to];
}

async function provenHours(app: App): Promise<number> {
  const ours = (await app.ledger.overview()).filter(({ symbol }) => SYMBOLS.includes(symbol));
  return ours.reduce((sum, { proven }) => sum + proven, 0);
}

function isDoneSlice({ msg, kind, outcome }: LogLine): boolean {
  return msg === 'job' && kind === 'slice' && outcome === 'done';
}
