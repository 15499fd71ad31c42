import { readdirSync, readFileSync } from 'node:fs';
import pg from 'pg';
import type { LoggedRequest } from '../support/exchange-process.ts';
import { HOUR_MS } from './story.ts';

/** What one process holds. */
export interface ProcessSample {
  readonly pid: number;
  readonly residentBytes: number;
  readonly openFiles: number;
}

/** The state of a soak at one moment, and what the exchange saw since the sample before. */
export interface Sample {
  readonly atMs: number;
  /** Since each series' newest proven hour. undefined: the store did not answer. */
  readonly lag?: { readonly medianMs: number; readonly maxMs: number };
  /** Hours that are closed and not proven. */
  readonly openHours?: number;
  readonly requests: number;
  readonly refused: number;
  /** The most weight that the exchange counted in a minute of its own. */
  readonly weight: number;
  /** Requests that the exchange had told cdvault not to send. */
  readonly violations: number;
  readonly processes: Readonly<Record<string, ProcessSample>>;
}

interface Proven {
  readonly hours: number;
  readonly toMs: number;
}

const ANSWER_MS = 5_000;

/** Runs one statement; a store that is down answers with an error soon. */
export async function query(
  url: string,
  statement: string,
): Promise<readonly Readonly<Record<string, string>>[]> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: ANSWER_MS,
    query_timeout: 12 * ANSWER_MS,
    types: { getTypeParser: () => String },
  });
  // A connection that is cut between two statements must not end the soak.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query<Record<string, string>>(statement)).rows;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Proven hours by symbol. */
export async function provenHours(
  url: string,
  range: { startMs: number; endMs: number },
): Promise<ReadonlyMap<string, Proven>> {
  const rows = await query(
    url,
    `SELECT symbol, count() AS hours, max(ts)::long AS last_us FROM coverage WHERE verdict = 'proven'
       AND ts >= ${range.startMs * 1000}::timestamp AND ts < ${range.endMs * 1000}::timestamp`,
  );
  return new Map(
    rows.map(({ symbol = '', hours, last_us: lastUs }) => [
      symbol,
      { hours: Number(hours), toMs: Number(lastUs) / 1000 + HOUR_MS },
    ]),
  );
}

export function lagsOf(
  symbols: readonly string[],
  proven: ReadonlyMap<string, Proven>,
  { startMs, nowMs }: { startMs: number; nowMs: number },
): { readonly medianMs: number; readonly maxMs: number } {
  const lags = symbols
    .map((symbol) => nowMs - (proven.get(symbol)?.toMs ?? startMs))
    .sort((left, right) => left - right);
  return { medianMs: lags[Math.floor(lags.length / 2)] ?? 0, maxMs: lags.at(-1) ?? 0 };
}

export function trafficOf(
  requests: readonly LoggedRequest[],
): Pick<Sample, 'requests' | 'refused' | 'weight' | 'violations'> {
  return {
    requests: requests.length,
    refused: requests.filter(({ status }) => status === 429 || status === 418).length,
    weight: requests.reduce((most, { usedWeight }) => Math.max(most, usedWeight), 0),
    violations: requests.filter(({ violation }) => violation !== undefined).length,
  };
}

export function processSamples(
  pids: ReadonlyMap<string, number | undefined>,
): Record<string, ProcessSample> {
  const samples: Record<string, ProcessSample> = {};
  for (const [name, pid] of pids) {
    if (pid === undefined) continue;
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
      if (kilobytes === undefined) continue;
      samples[name] = {
        pid,
        residentBytes: Number(kilobytes) * 1024,
        openFiles: readdirSync(`/proc/${pid}/fd`).length,
      };
    } catch {
      // It is down at this moment: the table has no line for it.
    }
  }
  return samples;
}
