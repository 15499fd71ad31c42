import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { describe, expect, it, test } from 'vitest';
import { asJson, dashboards } from '../../../grafana/dashboards.ts';
import { postgres, questdbPlugin } from '../../../grafana/data-source.ts';
import {
  GRAFANA,
  loadDashboard,
  type LoadedDashboard,
  type LoadedPanel,
} from '../../support/grafana-dashboard.ts';

const files = Object.keys(dashboards(postgres));
const FOLDER = path.join(GRAFANA, 'dashboards');

test('dashboards are what the generator writes: run scripts/write-dashboards.ts after a change', () => {
  expect(readdirSync(FOLDER).toSorted()).toEqual(files.toSorted());
  for (const [name, dashboard] of Object.entries(dashboards(postgres)))
    expect(readFileSync(path.join(FOLDER, name), 'utf8'), name).toBe(asJson(dashboard));
});

const withInner = (panels: readonly LoadedPanel[]): LoadedPanel[] =>
  panels.flatMap((panel) => [panel, ...withInner(panel.panels ?? [])]);

describe.each(files)('%s', (name) => {
  const dashboard = loadDashboard(name);
  const panels = withInner(dashboard.panels);

  test('has unique panel ids, and no panel overlaps another', () => {
    const ids = panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const cells = panels.flatMap(cellsOf);
    expect(new Set(cells).size).toBe(cells.length);
  });

  test('describes what every panel shows', () => {
    for (const panel of panels) {
      expect(panel.title).not.toBe('');
      if (panel.type !== 'row')
        expect(panel).toHaveProperty('description', expect.stringMatching(/\.$/));
    }
  });

  test('draws no line across unknown values', () => {
    for (const { title, type, fieldConfig, datasource } of panels) {
      // In series of Prometheus, a missed scrape is not a hole in the data.
      if (datasource?.type === 'prometheus') continue;
      if (type !== 'timeseries' && type !== 'candlestick') continue;
      expect(fieldConfig?.defaults.custom, title).toHaveProperty('spanNulls', false);
    }
  });

  test('uses only macros that both data sources have', () => {
    expect(JSON.stringify(dashboard)).not.toMatch(/\$__time(Group|From|To)/);
  });
});

test('uids differ', () => {
  const uids = files.map((name) => loadDashboard(name).uid);
  expect(new Set(uids).size).toBe(files.length);
});

test('for QuestDB’s plugin, only the query model is different', () => {
  const plugin = dashboards(questdbPlugin);
  for (const [name, dashboard] of Object.entries(plugin)) {
    const { panels } = JSON.parse(asJson(dashboard)) as LoadedDashboard;
    for (const panel of panels) {
      const own = loadDashboard(name).panels.find(({ id }) => id === panel.id);
      for (const [index, target] of (panel.targets ?? []).entries()) {
        expect(target.datasource).toEqual({ type: 'questdb-questdb-datasource', uid: 'cdvault' });
        const twin = own?.targets?.[index];
        expect(target.rawSql).toBe(twin?.rawSql);
        expect(target.format).toBe(twin?.format === 'time_series' ? 0 : 1);
      }
    }
  }
});

/** Cells of the grid that a panel covers. */
function cellsOf(panel: LoadedPanel): string[] {
  const { x, y, w, h } = (panel as LoadedPanel & { gridPos: Record<'x' | 'y' | 'w' | 'h', number> })
    .gridPos;
  expect(x + w).toBeLessThanOrEqual(24);
  return Array.from(
    { length: w * h },
    (_, cell) => `${x + (cell % w)} ${y + Math.floor(cell / w)}`,
  );
}

const SCHEMAS = process.env['CDVAULT_GRAFANA_SCHEMAS'] ?? '';

/**
 * The schemas say `object` where Grafana takes any value: a matcher's options (a field's name) and what an
 * override sets (a draw style, a number).
 */
const ANY_VALUE: readonly (readonly [definition: string, property: string])[] = [
  ['MatcherConfig', 'options'],
  ['DynamicConfigValue', 'value'],
];

interface Schema {
  readonly definitions: Record<string, { properties?: Record<string, unknown> }>;
}

function validator(name: string, definition: string): ValidateFunction {
  const file = path.join(SCHEMAS, `${name}.jsonschema.json`);
  const schema = JSON.parse(readFileSync(file, 'utf8')) as Schema;
  for (const [holder, property] of ANY_VALUE) {
    const { properties } = schema.definitions[holder] ?? {};
    if (properties !== undefined) properties[property] = {};
  }
  // The files are in draft 7; their defaults are not used here.
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  return ajv.compile({ ...schema, $ref: `#/definitions/${definition}` });
}

function problemsOf(validate: ValidateFunction, value: unknown): string[] {
  if (validate(value)) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}

if (!existsSync(path.join(SCHEMAS, 'dashboard.jsonschema.json'))) {
  const missing =
    'GRAFANA SCHEMAS MISSING: dashboards were not checked against the JSON schemas of grafana/grafana-foundation-sdk. Name their folder in CDVAULT_GRAFANA_SCHEMAS';
  process.stderr.write(`${missing}\n`);
  it.skip(missing, () => undefined);
} else {
  describe.each(files)('%s, checked by Grafana’s JSON schemas', (name) => {
    const dashboard = loadDashboard(name);

    test('is a valid dashboard', () => {
      expect(problemsOf(validator('dashboard', 'Dashboard'), dashboard)).toEqual([]);
    });

    const known = withInner(dashboard.panels).filter(({ type }) =>
      existsSync(path.join(SCHEMAS, `${schemaOf(type)}.jsonschema.json`)),
    );
    test.each(known.map((panel) => [panel.title, panel] as const))(
      'has options that its panel knows: %s',
      (_, { type, options = {}, fieldConfig }) => {
        expect(problemsOf(validator(schemaOf(type), 'Options'), options)).toEqual([]);
        // A stat panel has no field configuration of its own.
        if (type === 'stat') return;
        const custom = fieldConfig?.defaults.custom ?? {};
        expect(problemsOf(validator(schemaOf(type), 'FieldConfig'), custom)).toEqual([]);
      },
    );
  });

  test('the schemas detect a misspelt key, a wrong type and a panel that is too wide', () => {
    const validate = validator('dashboard', 'Dashboard');
    const whole = loadDashboard('order-flow.json');
    const [first] = whole.panels;
    const tooWide = { ...first, gridPos: { x: 0, y: 0, w: 99, h: 1 } };
    for (const broken of [
      { ...whole, refesh: '1m' },
      { ...whole, refresh: 60 },
      { ...whole, panels: [tooWide] },
    ])
      expect(problemsOf(validate, broken)).not.toEqual([]);
  });
}

function schemaOf(type: string): string {
  return type.replaceAll('-', '');
}
