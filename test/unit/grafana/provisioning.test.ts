import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { dashboards } from '../../../grafana/dashboards.ts';
import { postgres } from '../../../grafana/data-source.ts';
import {
  GRAFANA,
  loadDashboard,
  type LoadedDashboard,
  panelQueries,
} from '../../support/grafana-dashboard.ts';
import { alertRules, ALERTS_FILE } from '../../support/grafana-alerts.ts';

interface DataSource {
  readonly name: string;
  readonly uid: string;
  readonly type: string;
  readonly url: string;
  readonly user: string;
  readonly jsonData: Readonly<Record<string, unknown>>;
  readonly secureJsonData: Readonly<Record<string, unknown>>;
}

const read = (file: string): string =>
  readFileSync(path.join(GRAFANA, 'provisioning', file), 'utf8');
const { datasources } = parse(read('datasources/questdb.yml')) as { datasources: DataSource[] };
const loaded = Object.keys(dashboards(postgres)).map(loadDashboard);

describe('the data source', () => {
  test('is Grafana’s built-in one for PostgreSQL, on QuestDB’s SQL port, as the read-only user', () => {
    expect(datasources).toHaveLength(1);
    expect(datasources[0]).toMatchObject({
      type: 'grafana-postgresql-datasource',
      url: 'questdb:8812',
      user: '$QUESTDB_READONLY_USER',
      secureJsonData: { password: '$QUESTDB_READONLY_PASSWORD' },
    });
  });

  test('has the keys without which it does not connect', () => {
    expect(datasources[0]?.jsonData).toMatchObject({
      database: 'qdb',
      sslmode: 'disable',
      postgresVersion: 1200,
      timescaledb: false,
    });
  });

  test('is used by every panel, variable, annotation and rule', () => {
    const known = datasources.map(({ type, uid }) => ({ type, uid }));
    const asked = [
      ...loaded.flatMap(sourcesOf),
      ...alertRules().map(({ query }) => query.datasource),
    ];
    expect(asked.length).toBeGreaterThan(40);
    for (const source of asked) expect(known).toContainEqual(source);
  });
});

function sourcesOf(dashboard: LoadedDashboard): unknown[] {
  return [
    ...dashboard.panels.flatMap(({ datasource }) => datasource ?? []),
    ...panelQueries(dashboard).map(({ target }) => target.datasource),
    ...dashboard.annotations.list.map(({ target }) => target.datasource),
    ...dashboard.templating.list.flatMap(({ datasource }) => datasource ?? []),
  ];
}

test('only panels in the folded row use another one, which the user chooses', () => {
  for (const { panels } of loaded)
    for (const row of panels.filter(({ type }) => type === 'row'))
      for (const inner of row.panels ?? [])
        expect(inner.datasource).toEqual({ type: 'prometheus', uid: '${prometheus}' });
});

test('compose mounts the files where Grafana looks for them, and sets the read-only user', () => {
  const { providers } = parse(read('dashboards/cdvault.yml')) as {
    providers: { options: { path: string } }[];
  };
  expect(providers.map(({ options }) => options.path)).toEqual(['/var/lib/grafana/dashboards']);
  const file = readFileSync(path.join(GRAFANA, '..', 'docker-compose.yml'), 'utf8');
  const { services } = parse(file, { merge: true }) as {
    services: Record<string, { volumes: string[]; environment: Record<string, string> }>;
  };
  expect(services['grafana']?.volumes).toEqual(
    expect.arrayContaining([
      './grafana/provisioning:/etc/grafana/provisioning:ro',
      './grafana/dashboards:/var/lib/grafana/dashboards:ro',
    ]),
  );
  expect(Object.keys(services['grafana']?.environment ?? {})).toEqual(
    expect.arrayContaining(['QUESTDB_READONLY_USER', 'QUESTDB_READONLY_PASSWORD']),
  );
});

describe('alert rules', () => {
  test('have unique uids: one each for holes, stuck jobs, suspended tables and bans', () => {
    expect(alertRules().map(({ uid }) => uid)).toEqual([
      'cdvault-hole',
      'cdvault-stuck',
      'cdvault-suspended',
      'cdvault-ban',
    ]);
  });

  test.each(alertRules().map((rule) => [rule.title, rule] as const))(
    '%s: has a threshold on its query and texts for the operator, and is OK without data',
    (_, { condition, data, annotations, labels, noDataState, execErrState }) => {
      expect(data.map(({ refId }) => refId)).toEqual(['A', 'B']);
      expect(condition).toBe('B');
      expect(data[1]?.model).toMatchObject({ type: 'threshold', expression: 'A' });
      expect(annotations['summary']).toMatch(/\.$/);
      expect(annotations['description']).toMatch(/[.?]$/);
      expect(['warning', 'critical']).toContain(labels['severity']);
      expect([noDataState, execErrState]).toEqual(['OK', 'Error']);
    },
  );

  test('contain no dollar sign, which Grafana would read as an environment variable', () => {
    expect(readFileSync(ALERTS_FILE, 'utf8')).not.toContain('$');
  });
});
