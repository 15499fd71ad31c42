import type { ParquetFacts, ServerFacts } from '../../ports/doctor.ts';
import { fail, ok, type Verdict, warn } from './check.ts';
import { countText, namesText } from './wording.ts';

export function serverVersion({ version, testedVersion, isTooOld }: ServerFacts): Verdict {
  const cure = `Run QuestDB ${testedVersion}, the version that this release is tested with.`;
  const figures = { version: version ?? '', testedVersion };
  if (version === undefined || isTooOld)
    return fail(`${version ?? 'an unknown version'} is too old`, cure, figures, 'STORE_TOO_OLD');
  if (version !== testedVersion) return warn(`${version} is not tested`, cure, figures);
  return ok(`${version}, as tested`, figures);
}

/** Where a setting comes from, for advice. */
const SET = 'in conf/server.conf of QuestDB, then restart it.';

export function commitMode({ settings }: ServerFacts): Verdict {
  const mode = settings.get('cairo.commit.mode') ?? 'unknown';
  const figures = { mode };
  if (mode === 'sync') return ok('sync', figures);
  return warn(
    `${mode}: a power loss may lose what was reported as stored`,
    `Set cairo.commit.mode=sync ${SET}`,
    figures,
  );
}

/** With a folder here even the read-only user writes files on the server, by COPY … TO. */
export function copyRoot({ settings }: ServerFacts): Verdict {
  const root = settings.get('cairo.sql.copy.export.root') ?? '';
  if (root === '') return ok('off: the read-only user writes no files');
  return warn(
    'on: the read-only user may write files on the server',
    `Set cairo.sql.copy.export.root= (empty) ${SET}`,
  );
}

/** Statistics let queries skip what they do not ask for; encodings of other sorts have ended the server. */
export function parquetSettings(
  { settings }: ServerFacts,
  { tables, otherEncodings }: ParquetFacts,
): Verdict {
  const statistics = settings.get('cairo.partition.encoder.parquet.statistics.enabled') ?? 'true';
  const figures = { tables, otherEncodings: otherEncodings.length, statistics };
  if (otherEncodings.length > 0)
    return warn(
      `columns of ${namesText(otherEncodings)} are to be encoded in another way`,
      'cdvault compact --undo, then cdvault compact, for what is stored as Parquet',
      figures,
    );
  if (statistics !== 'true')
    return warn(
      'statistics are off: queries of Parquet partitions read all of them',
      `Set cairo.partition.encoder.parquet.statistics.enabled=true ${SET}`,
      figures,
    );
  return ok(`statistics on; ${countText(tables, 'table')} with Parquet partitions`, figures);
}
