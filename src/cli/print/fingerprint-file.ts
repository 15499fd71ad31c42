/** The JSON of a fingerprint: written by `--json`, read by `--compare`. docs/fingerprint.md has the format. */

import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { CdvaultError } from '../../domain/errors.ts';
import {
  type Fingerprint,
  FINGERPRINT_FORMAT,
  fingerprintHour,
  fingerprintOf,
} from '../../domain/proof/fingerprint.ts';
import { HOUR_MS, type TimeRange } from '../../domain/time/hour.ts';
import { marketName, MARKETS, type Series } from '../../domain/market.ts';
import { isoMinute } from './format.ts';

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.number().int().nonnegative();
const hour = z.iso.datetime({ precision: 0 });

const formatSchema = z.object({ type: z.literal('fingerprint'), format: z.string() });
const documentSchema = z.object({
  type: z.literal('fingerprint'),
  format: z.literal(FINGERPRINT_FORMAT),
  market: z.enum(MARKETS),
  symbol: z.string().min(1),
  from: hour,
  to: hour,
  hours: count,
  rows: count,
  root: hash,
  leaves: z.array(z.object({ hour, rows: count, contentHash: hash, leaf: hash })).min(1),
});

type FingerprintDocument = z.infer<typeof documentSchema>;

export function fingerprintDocument(fingerprint: Fingerprint): FingerprintDocument {
  const { market, symbol, leaves, root } = fingerprint;
  const { startMs, endMs } = rangeOf(fingerprint);
  return {
    type: 'fingerprint',
    format: FINGERPRINT_FORMAT,
    market,
    symbol,
    from: fingerprintHour(startMs),
    to: fingerprintHour(endMs),
    hours: leaves.length,
    rows: leaves.reduce((sum, { rows }) => sum + rows, 0),
    root,
    leaves: leaves.map(({ hourMs, rows, contentHash, leaf }) => ({
      hour: fingerprintHour(hourMs),
      rows,
      contentHash,
      leaf,
    })),
  };
}

function rangeOf({ leaves }: Fingerprint): TimeRange {
  const [first, last] = [leaves[0], leaves.at(-1)];
  return { startMs: first?.hourMs ?? 0, endMs: (last?.hourMs ?? 0) + HOUR_MS };
}

/**
 * Reads a fingerprint file and checks its counts, leaves and root.
 * @throws CdvaultError USAGE when it is not a valid fingerprint of this series and range
 */
export function readFingerprint(file: string, series: Series, range: TimeRange): Fingerprint {
  const theirs = parseFingerprint(file, readText(file));
  if (theirs.market !== series.market || theirs.symbol !== series.symbol) {
    throw refused(file, `is for ${nameOf(theirs)}, not for ${nameOf(series)}`);
  }
  const { startMs, endMs } = rangeOf(theirs);
  if (startMs !== range.startMs || endMs !== range.endMs) {
    throw refused(
      file,
      `covers ${isoMinute(startMs)} to ${isoMinute(endMs)}, not ${isoMinute(range.startMs)} to ${isoMinute(range.endMs)}`,
      `Give --from ${isoMinute(startMs)} --to ${isoMinute(endMs)}.`,
    );
  }
  return theirs;
}

function nameOf({ market, symbol }: Series): string {
  return `${symbol} (${marketName(market)})`;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CdvaultError('USAGE', `--compare: ${why}`, {
      advice: 'Give a file written by cdvault fingerprint --json.',
      cause: error,
    });
  }
}

function parseFingerprint(file: string, text: string): Fingerprint {
  const json = jsonOf(file, text);
  const { data: head } = formatSchema.safeParse(json);
  if (head !== undefined && head.format !== FINGERPRINT_FORMAT) {
    throw refused(
      file,
      `has the format ${JSON.stringify(head.format)}; this version reads ${FINGERPRINT_FORMAT}`,
      'Create both fingerprints with the same version of cdvault.',
    );
  }
  const parsed = documentSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw refused(
      file,
      `is not a fingerprint: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
    );
  }
  const fingerprint = fingerprintOf(
    parsed.data,
    parsed.data.leaves.map((leaf) => ({ ...leaf, hourMs: Date.parse(leaf.hour) })),
  );
  if (!isDeepStrictEqual(fingerprintDocument(fingerprint), parsed.data))
    throw refused(file, 'is inconsistent: its leaves, sums and root do not match');
  return fingerprint;
}

function jsonOf(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw refused(file, `is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function refused(
  file: string,
  why: string,
  advice = 'Give the unchanged output of cdvault fingerprint --json.',
): CdvaultError {
  return new CdvaultError('USAGE', `${file} ${why}`, { advice });
}
