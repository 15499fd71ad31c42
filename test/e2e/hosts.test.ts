import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { App } from '../../src/cli/compose.ts';
import { ERRORS } from '../../src/domain/error-catalogue.ts';
import { DAY_MS, HOUR_MS } from '../../src/domain/time/hour.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { type CliResult, unique } from '../support/command-line.ts';
import { type HostName, HostNetwork, whyNoHosts } from '../support/host-network.ts';
import { HostsLab, type LogLine, logLines, mostWeight } from './hosts-lab.ts';
import { truth } from './reference.ts';
import { eventually, Rig } from './rig.ts';

const DAY = Date.UTC(2024, 9, 7);
const RANGE = { startMs: DAY, endMs: DAY + 2.5 * DAY_MS };
const WINDOW_MS = 5_000;
const WEIGHT_LIMIT = 160;
/** Long enough that requests and locks are lost; the other hosts leave work for the time after it. */
const CUT_MS = 8_000;
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
  if (why !== undefined) context.skip(why);
  const done: Record<HostName, string[]> = { a: [], b: [], c: [] };
  const total = () => HOSTS.reduce((sum, host) => sum + done[host].length, 0);
  const counts = (): Counts => ({ a: done.a.length, b: done.b.length, c: done.c.length });
  const args = ['backfill', ...SYMBOLS, ...rangeArgs(), '--source', 'rest', '--detach'];
  const queued = await lab.start('c', args, settings('c')).done;
  expect(queued.exitCode, queued.stderr).toBe(0);
  const workers = HOSTS.map((host) =>
    lab.start(host, ['worker'], settings(host), (text) => {
      const [line] = logLines({ stderr: text });
      if (line !== undefined && isDoneSlice(line)) done[host].push(`${line.symbol} ${line.part}`);
    }),
  );

  await eventually('a sixth of the hours', () => done.a.length > 2 && total() > HOURS / 6);
  network.cut('a');
  const [cutAtMs, atCut] = [Date.now(), counts()];
  await sleep(CUT_MS);
  network.heal('a');
  const [healedAtMs, atHealing] = [Date.now(), counts()];
  const app = await rig.app();
  await eventually('all hours are proven', async () => (await provenHours(app)) === HOURS);
  await rig.untilIdle(app);
  const overMs = Date.now() - healedAtMs;
  const refused = await statusOfCutHost();
  const status = await lab.start('b', ['status'], settings('b')).done;
  for (const worker of workers) worker.kill();
  const ended = await Promise.all(workers.map(async (worker) => worker.done));

  tell({ atCut, atHealing, atEnd: counts() });
  process.stdout.write(
    `a was cut off for ${healedAtMs - cutAtMs} ms; all was over ${overMs} ms later\n`,
  );
  assertTold(refused, status, ended);
  // Each host did its part, the one that was cut off also after it was back.
  expect(atHealing.a).toBe(atCut.a);
  expect(done.a.length).toBeGreaterThan(atHealing.a);
  for (const host of HOSTS) expect(done[host].length, host).toBeGreaterThan(HOURS / 20);
  assertWithinLimits();
  // No hour was stored twice.
  const hours = HOSTS.flatMap((host) => done[host]);
  expect(hours.toSorted()).toEqual([...new Set(hours)].toSorted());
  expect(hours).toHaveLength(HOURS);
  await assertStored(app);
}, 300_000);

async function statusOfCutHost(): Promise<CliResult> {
  network.cut('a');
  const refused = await lab.start('a', ['status'], settings('a')).done;
  network.heal('a');
  return refused;
}

type Counts = Readonly<Record<HostName, number>>;

function tell(hours: Readonly<Record<'atCut' | 'atHealing' | 'atEnd', Counts>>): void {
  const used = mostWeight(rig.exchange.requests.entries, WINDOW_MS);
  const lines = HOSTS.map((host) => {
    const address = network.egressOf(host);
    const { atCut, atHealing, atEnd } = hours;
    const counts = [atCut[host], atHealing[host] - atCut[host], atEnd[host] - atHealing[host]];
    return `${host}  ${address.padEnd(15)}  ${used.get(address) ?? 0} of ${WEIGHT_LIMIT}  ${counts.join(', ')}`;
  });
  const title = 'host, address, most weight in a window, hours before the cut, during it, after it';
  process.stdout.write(`${[title, ...lines].join('\n')}\n`);
}

/** A command on a host that is cut off says what it cannot reach; a worker says so, and goes on. */
function assertTold(refused: CliResult, status: CliResult, ended: readonly CliResult[]): void {
  expect(refused).toMatchObject({ exitCode: 5, stdout: '' });
  expect(refused.stderr).toMatch(/^error REDIS_UNREACHABLE: Redis did not answer at 198\.18\./);
  expect(status.stdout).toMatch(/^workers: 3 on 1 host$/m);
  expect(status.stdout).toMatch(/office: 12 hours at a time$/m);
  expect(status.stdout).toMatch(/home: spot \d+ hours? at a time/m);
  for (const name of Object.values(EGRESS))
    expect(status.stdout).toMatch(
      new RegExp(
        `^exchange spot, address ${rig.name}-${name}: weight \\d+ of ${WEIGHT_LIMIT} used`,
        'm',
      ),
    );
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
}

function assertWithinLimits(): void {
  const { entries } = rig.exchange.requests;
  const used = mostWeight(entries, WINDOW_MS);
  expect([...used.keys()].toSorted()).toEqual([network.egressOf('a'), network.egressOf('c')]);
  expect(Math.max(...used.values())).toBeLessThanOrEqual(WEIGHT_LIMIT);
  expect(entries.filter(({ status }) => status === 429 || status === 418)).toEqual([]);
  expect(rig.exchange.requests.violations()).toEqual([]);
}

async function assertStored(app: App): Promise<void> {
  const args = ['verify', ...SYMBOLS, ...rangeArgs(), '--no-klines'];
  const verified = await lab.start('b', args, settings('b')).done;
  expect(verified.exitCode, verified.stdout + verified.stderr).toBe(0);
  for (const { symbol, trades } of listed) {
    const table = `trades_spot_${symbol.toLowerCase()}`;
    const [row] = await app.sql.query(`SELECT count() AS stored FROM ${table}`);
    expect(Number(row?.['stored'])).toBe(truth(trades, RANGE).length);
  }
}

function settings(host: HostName) {
  return {
    exchangeUrl: rig.exchange.url,
    name: rig.name,
    BINANCE_ARCHIVE_URL: rig.archiveUrl,
    CDVAULT_EGRESS: `${rig.name}-${EGRESS[host]}`,
    CDVAULT_WEIGHT_SHARE: '0.9',
    CDVAULT_CONCURRENCY: host === 'c' ? 'auto' : '12',
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
