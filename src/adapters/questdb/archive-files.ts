import type { ArchiveFileRecord, ArchiveFiles, FileVerdict } from '../../ports/archive-files.ts';
import { DAY_MS, floorTo } from '../../domain/time/hour.ts';
import type { Series } from '../../domain/market.ts';
import { int, ofSeries, optionalInt, type Sql, text, type TextRow, timestamp } from './sql.ts';

const COLUMNS =
  'ts::long AS day_us, name, etag, sha256, bytes, verdict, evidence, seen_at::long AS seen_us';

export function createArchiveFiles(sql: Sql): ArchiveFiles {
  return {
    async write(record) {
      await sql.query(
        'INSERT INTO archive_files VALUES (cast($1 AS long)::timestamp, $2, $3, $4, $5, $6, ' +
          'cast($7 AS long), $8, $9, cast($10 AS long)::timestamp)',
        [
          record.dayMs * 1000,
          record.market,
          record.symbol,
          record.name,
          record.etag ?? null,
          record.sha256 ?? null,
          record.bytes ?? null,
          record.verdict,
          record.evidence,
          record.seenAtMs * 1000,
        ],
      );
    },
    async records(series, { startMs, endMs }) {
      await sql.waitApplied('archive_files');
      const rows = await sql.query(
        `SELECT ${COLUMNS} FROM archive_files WHERE ${ofSeries(series)} ` +
          `AND ts >= ${timestamp(floorTo(startMs, DAY_MS))} AND ts < ${timestamp(endMs)} ORDER BY ts, seen_at`,
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
