import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import type { DataSourceRef } from '@grafana/grafana-foundation-sdk/common';

/** How Grafana reads the rows: as series by the first column `time` in ascending order, or as a table. */
export type Format = 'time_series' | 'table';

/** An SQL data source. A dashboard works with one kind only, since their query models differ. */
export interface SqlSource {
  readonly ref: DataSourceRef;
  query(sql: string, format: Format, refId?: string): Builder<Dataquery>;
}

/** The same uid as in grafana/provisioning/datasources. */
const UID = 'cdvault';

/** Grafana's built-in PostgreSQL data source. */
export const postgres = sqlSource('grafana-postgresql-datasource', (rawSql, format) => ({
  rawSql,
  format,
  rawQuery: true,
  editorMode: 'code',
}));

/** QuestDB's plugin, whose formats are numbers. */
export const questdbPlugin = sqlSource('questdb-questdb-datasource', (rawSql, format) => {
  const number = format === 'time_series' ? 0 : 1;
  return { rawSql, format: number, selectedFormat: number, queryType: 'sql' };
});

function sqlSource(type: string, model: (rawSql: string, format: Format) => object): SqlSource {
  const ref = { type, uid: UID };
  return {
    ref,
    query: (sql, format, refId = 'A') => ({
      // The SDK has no query model for these two data sources.
      build: () => ({ refId, datasource: ref, ...model(sql, format) }) as unknown as Dataquery,
    }),
  };
}
