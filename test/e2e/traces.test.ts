import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { HOUR_MS } from '../../src/domain/time/hour.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { unique } from '../support/command-line.ts';
import { eventually, Rig } from './rig.ts';

const DAY = Date.UTC(2024, 9, 7);
const HOURS = 3;
const SYMBOL = unique('TRACED');
const trades = syntheticTrades({
  seed: 81,
  fromMs: DAY - HOUR_MS,
  toMs: DAY + (HOURS + 1) * HOUR_MS,
  tradesPerHour: 1_500,
  firstId: 1_000,
});

const value = z.union([
  z.object({ stringValue: z.string() }).transform(({ stringValue }) => stringValue),
  z.object({ intValue: z.coerce.number() }).transform(({ intValue }) => intValue),
  z.object({ doubleValue: z.number() }).transform(({ doubleValue }) => doubleValue),
  z.object({ boolValue: z.boolean() }).transform(({ boolValue }) => boolValue),
]);
const SPAN = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  name: z.string(),
  startTimeUnixNano: z.coerce.bigint(),
  endTimeUnixNano: z.coerce.bigint(),
  attributes: z.array(z.object({ key: z.string(), value })),
});
const REQUEST = z.object({
  resourceSpans: z.array(z.object({ scopeSpans: z.array(z.object({ spans: z.array(SPAN) })) })),
});
type Span = z.infer<typeof SPAN>;

/** What was sent by OTLP over HTTP. */
const spans: Span[] = [];
let collector: Server;
let endpoint = '';
let rig: Rig;

beforeAll(async () => {
  rig = await Rig.start({ symbols: [{ symbol: SYMBOL, trades }] });
  collector = createServer((request, response) => {
    void json(request).then((body) => {
      expect(request.url).toBe('/v1/traces');
      const { resourceSpans } = REQUEST.parse(body);
      spans.push(...resourceSpans.flatMap((one) => one.scopeSpans.flatMap((scope) => scope.spans)));
      response.setHeader('content-type', 'application/json').end('{}');
    });
  });
  await new Promise<void>((resolve) => {
    collector.listen(0, '127.0.0.1', resolve);
  });
  endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
});

afterAll(async () => {
  await rig.dispose();
  collector.closeAllConnections();
  await new Promise((resolve) => {
    collector.close(resolve);
  });
});

test('a run is one trace, from its plan in one process to the pages and writes of another', async () => {
  const to = new Date(DAY + HOURS * HOUR_MS).toISOString();
  const args = ['backfill', SYMBOL, '--from', new Date(DAY).toISOString(), '--to', to];
  const more = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint };
  const queued = await rig.cli([...args, '--source', 'rest', '--detach'], more);
  expect(queued.exitCode, queued.stderr).toBe(0);
  const worker = rig.startCli(['worker'], undefined, more);
  const app = await rig.app();
  await eventually('all hours are proven', async () => {
    const [row] = (await app.ledger.overview()).filter(({ symbol }) => symbol === SYMBOL);
    return row?.proven === HOURS;
  });
  await rig.untilIdle(app);
  worker.kill();
  expect((await worker.done).exitCode).toBe(0);

  const [root, ...others] = named('backfill');
  expect(others).toEqual([]);
  expect(root?.parentSpanId ?? '').toBe('');
  const runId = attribute(root, 'cdvault.run_id');
  expect(queued.stderr).toContain(`run ${String(runId)} is queued`);
  const slices = named('slice');
  expect(new Set(slices.map((span) => attribute(span, 'cdvault.part')))).toEqual(
    new Set(['00', '01', '02'].map((hour) => `2024-10-07T${hour}Z`)),
  );
  expect(slices).toHaveLength(HOURS);
  const jobs = [...slices, ...named('bars')];
  expect(jobs.length).toBeGreaterThan(HOURS);
  for (const job of jobs) {
    expect([job.traceId, job.parentSpanId]).toEqual([root?.traceId, root?.spanId]);
    expect(attribute(job, 'cdvault.run_id')).toBe(runId);
    expect(attribute(job, 'cdvault.symbol')).toBe(SYMBOL);
  }
  for (const slice of slices) {
    const parts = spans.filter(({ parentSpanId }) => parentSpanId === slice.spanId);
    const names = parts.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['page', 'flush']));
    for (const part of parts) {
      expect(part.traceId).toBe(slice.traceId);
      expect(part.endTimeUnixNano).toBeLessThanOrEqual(slice.endTimeUnixNano + 5_000_000n);
      expect(part.startTimeUnixNano).toBeLessThanOrEqual(part.endTimeUnixNano);
    }
    const rows = parts.filter(({ name }) => name === 'flush').map((one) => attribute(one, 'rows'));
    expect(rows.reduce<number>((sum, count) => sum + Number(count), 0)).toBeGreaterThan(500);
  }
  expect(
    named('bars').some((bars) =>
      spans.some((one) => one.name === 'build bars' && one.parentSpanId === bars.spanId),
    ),
  ).toBe(true);
});

test('a collector that is away delays a command a little, and fails nothing', async () => {
  const to = new Date(DAY + HOURS * HOUR_MS).toISOString();
  const args = ['backfill', SYMBOL, '--from', new Date(DAY).toISOString(), '--to', to];
  const { exitCode, stderr } = await rig.cli(args, {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
  });
  expect(exitCode, stderr).toBe(0);
});

function named(name: string): Span[] {
  return spans.filter((span) => span.name === name);
}

function attribute(span: Span | undefined, name: string) {
  return span?.attributes.find(({ key }) => key === name)?.value;
}
