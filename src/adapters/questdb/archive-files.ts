import type { ArchiveFileRecord, ArchiveFiles, FileVerdict } from '../../ports/archive-files.ts';
import { DAY_MS, floorTo } from '../../domain/time/hour.ts';
import type { Series } from '../../domain/market.ts';
import {
  IN_RANGE,
  int,
  literal,
  OF_SERIES,
  optionalInt,
  seriesParameters,
  seriesValues,
  type Sql,
  text,
  type TextRow,
  timestamp,
} from './sql.ts';

const COLUMNS =
  'ts::long AS day_us, name, etag, sha256, bytes, verdict, evidence, seen_at::long AS seen_us';

export function createArchiveFiles(sql: Sql): ArchiveFiles {
  return {
    async write(records) {
      if (records.length === 0) return;
      const optional = (value: string | number | undefined) =>
        typeof value === 'string' ? literal(value) : String(value ?? null);
      const rows = records.map(
        (record) =>
          `(${timestamp(record.dayMs)}, ${seriesValues(record)}, ${literal(record.name)}, ` +
          `${optional(record.etag)}, ${optional(record.sha256)}, ${optional(record.bytes)}, ${literal(record.verdict)}, ` +
          `${literal(record.evidence)}, ${timestamp(record.seenAtMs)})`,
      );
      await sql.query(`INSERT INTO archive_files VALUES ${rows.join(', ')}`);
    },
    async records(series, { startMs, endMs }) {
      await sql.waitApplied('archive_files');
      const rows = await sql.query(
        `SELECT ${COLUMNS} FROM archive_files WHERE ${OF_SERIES} AND ${IN_RANGE} ORDER BY ts, seen_at`,
        seriesParameters(series, { startMs: floorTo(startMs, DAY_MS), endMs }),
      );
      return rows.map((row) => toRecord(series, row));
    },
  };
}

function toRecord({ market, symbol }: Series, row: TextRow): ArchiveFileRecord {
  return {
    market,
    symbol,
    dayMs: int(row, 'day_us') / 1000,
    name: text(row, 'name'),
    etag: row['etag'] ?? undefined,
    sha256: row['sha256'] ?? undefined,
    bytes: optionalInt(row, 'bytes'),
    verdict: text(row, 'verdict') as FileVerdict,
    evidence: row['evidence'] ?? '',
    seenAtMs: int(row, 'seen_us') / 1000,
  };
}
