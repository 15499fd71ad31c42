import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };

const src = path.resolve(import.meta.dirname, '..', '..', 'src');

/** The adapters that an adapter may import besides itself. No others, so that a second exchange is one new folder. */
const ADAPTERS: Readonly<Record<string, readonly string[]>> = {
  alerts: ['system'],
  archive: ['system'],
  backup: ['system'],
  binance: ['system'],
  bullmq: ['redis', 'system'],
  export: ['system'],
  grafana: [],
  http: [],
  questdb: ['system'],
  redis: ['system'],
  services: ['redis', 'system'],
  system: [],
  tracing: [],
  weight: ['redis', 'system'],
};

interface SourceFile {
  /** The path from src, with slashes. */
  readonly name: string;
  readonly text: string;
  /** Modules of src as paths like `name`; packages and node: modules as written. */
  readonly imports: readonly string[];
}

/** Static imports, re-exports and import() with a literal: the forms that the project uses. */
const IMPORT =
  /(?:^|[\s;}])(?:import|export)\s[^'"`;]*?from\s*['"]([^'"]+)['"]|(?:^|[\s;])import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/g;

/** Comments, and the strings that may contain the marks of one. */
const STRING_OR_COMMENT =
  /('(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`)|\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm;

function withoutComments(text: string): string {
  return text.replaceAll(STRING_OR_COMMENT, (_, string: string | undefined) => string ?? '');
}

function importsOf(name: string, text: string): string[] {
  return [...withoutComments(text).matchAll(IMPORT)].map((match) => {
    const specifier = match[1] ?? match[2] ?? match[3] ?? '';
    return specifier.startsWith('.')
      ? path.posix.join(path.posix.dirname(name), specifier)
      : specifier;
  });
}

const files: readonly SourceFile[] = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .map((name) => name.split(path.sep).join('/'))
  .filter((name) => name.endsWith('.ts'))
  .map((name) => {
    const text = readFileSync(path.join(src, name), 'utf8');
    return { name, text, imports: importsOf(name, text) };
  });

/** True for what a file of this folder may import. */
const RULES: Readonly<Record<string, (imported: string, name: string) => boolean>> = {
  // Hashing is a pure function, although Node.js has it in a module.
  domain: (imported) => imported.startsWith('domain/') || imported === 'node:crypto',
  ports: (imported) => /^(domain|ports)\//.test(imported),
  app: (imported) => /^(domain|ports|app)\//.test(imported),
  // Code of the browser: of the server it knows the form of the answers only.
  page: (imported) => /^(domain|page)\//.test(imported) || imported === 'lightweight-charts',
  adapters: (imported, name) => {
    if (!/^(app|cli|adapters)\/|^config\.ts$|^\.\./.test(imported)) return true;
    const own = name.split('/')[1] ?? '';
    return [own, ...(ADAPTERS[own] ?? [])].some((adapter) =>
      imported.startsWith(`adapters/${adapter}/`),
    );
  },
};

const existing = readdirSync(src).filter((name) => statSync(path.join(src, name)).isDirectory());

describe.each(Object.entries(RULES))('src/%s', (folder, mayImport) => {
  const inFolder = files.filter((file) => file.name.startsWith(`${folder}/`));

  test.runIf(existing.includes(folder))('imports only what its layer may import', () => {
    expect(inFolder.length).toBeGreaterThan(0);
    const wrong = inFolder.flatMap((file) =>
      file.imports
        .filter((imported) => !mayImport(imported, file.name))
        .map((imported) => `${file.name} imports ${imported}`),
    );
    expect(wrong).toEqual([]);
  });
});

test('files directly in src import domain at most', () => {
  const atTop = files.filter(({ name }) => !name.includes('/'));
  expect(atTop.map(({ name }) => name)).toEqual(['config-values.ts', 'config.ts', 'version.ts']);
  const ours = atTop.flatMap(({ imports }) => imports.filter((one) => one.endsWith('.ts')));
  expect(ours.filter((imported) => !/^(domain\/|config-values\.ts)/.test(imported))).toEqual([]);
});

test('src has .ts files only, beside those of the page, and no import that these tests cannot see', () => {
  const names = readdirSync(src, { recursive: true, encoding: 'utf8' });
  expect(names.filter((name) => /\.[^/]+$/.test(name) && !name.endsWith('.ts'))).toEqual([
    'page/page.css',
    'page/tsconfig.json',
  ]);
  const hidden = files.filter(({ text }) => hidesImport(text)).map(({ name }) => name);
  // It is loaded on its first use, since few commands need it; its types are imported as usual.
  expect(hidden).toEqual(['adapters/system/time-zones.ts']);
});

/** import() of anything but a literal, and require(). */
const hidesImport = (text: string): boolean =>
  /\bimport\(\s*[^'"\s]|\b(?:createRequire|require)\(/.test(withoutComments(text));

test.each(['await import(`pg`)', 'import(where)', "createRequire(import.meta.url)('ioredis')"])(
  'an import is hidden: %s',
  (text) => {
    expect(hidesImport(text)).toBe(true);
  },
);

test('every folder of src has a rule or is the command line', () => {
  expect(existing.filter((name) => name !== 'cli' && RULES[name] === undefined)).toEqual([]);
});

/** Rooms from the bottom up: a file imports from its own room and from those before it. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  domain: ['time', '', 'trade', 'proof', 'bars', 'archive', 'plan'],
  app: [
    '',
    'hour',
    'day',
    'bars',
    'plan',
    'verify',
    'export',
    'compact',
    'keep',
    'chart',
    'jobs',
    'doctor',
    'status',
    'alerts',
  ],
};

const roomOf = (name: string): string => {
  const [, ...rest] = name.split('/');
  return rest.length > 1 ? (rest[0] ?? '') : '';
};

test.each(Object.entries(ROOMS))(
  'rooms of src/%s import only from lower rooms',
  (folder, rooms) => {
    const inFolder = files.filter((file) => file.name.startsWith(`${folder}/`));
    const level = (name: string): number => rooms.indexOf(roomOf(name));
    expect(inFolder.filter(({ name }) => level(name) < 0).map(({ name }) => name)).toEqual([]);
    const upward = inFolder.flatMap(({ name, imports }) =>
      imports
        .filter((imported) => imported.startsWith(`${folder}/`) && level(imported) > level(name))
        .map((imported) => `${name} imports ${imported}`),
    );
    expect(upward).toEqual([]);
  },
);

/** What a file runs: everything that it imports, however deep, except for types. */
function reachedFrom(starts: readonly string[]): ReadonlySet<string> {
  const reached = new Set<string>();
  const due = [...starts];
  for (let name = due.pop(); name !== undefined; name = due.pop()) {
    const file = files.find((one) => one.name === name);
    if (file === undefined || reached.has(name)) continue;
    reached.add(name);
    due.push(...importsOf(name, file.text.replaceAll(TYPE_IMPORT, '')));
  }
  return reached;
}

const TYPE_IMPORT = /^(?:import|export) type [^;]*;/gm;

/** How production computes bars, and how verification computes them a second time. */
const PRODUCTION = [
  'bars/distiller',
  'bars/minute-sums',
  'bars/day-bars',
  'trade/limbs',
  'trade/products',
];
const SECOND = ['app/verify/day-minutes.ts', 'domain/bars/bar.ts'];
const inDomain = (name: string) => `domain/${name}.ts`;

test('verify computes bars in its own way: it shares no roll-up, tiers or limbs with production', () => {
  const production = reachedFrom(['app/bars/build-bars.ts', 'app/hour/distillery.ts']);
  const verification = reachedFrom(['app/verify/verify-range.ts', 'app/verify/verify-bars.ts']);
  expect([...production]).toEqual(expect.arrayContaining(PRODUCTION.map(inDomain)));
  expect([...verification]).toEqual(expect.arrayContaining(SECOND));
  expect(SECOND.filter((name) => production.has(name))).toEqual([]);
  const shared = PRODUCTION.map(inDomain).filter((name) => verification.has(name));
  expect(shared).toEqual([]);
});

test('the parser finds every kind of import', () => {
  const text = [
    "import a, { b } from './a.ts';",
    "import type { C } from '../ports/c.ts';",
    "import {\n  d,\n  e,\n} from 'pg';",
    "export { f } from './f.ts';",
    "import './g.ts';",
    "const h = await import('./h.ts');",
    "// import './no.ts';",
    "/** import x from './no.ts' */",
  ].join('\n');
  expect(importsOf('app/x.ts', text)).toEqual([
    'app/a.ts',
    'ports/c.ts',
    'pg',
    'app/f.ts',
    'app/g.ts',
    'app/h.ts',
  ]);
});

/** Reads of a variable by its name, from whatever object holds the environment, and all accesses to process.env. */
const READS_ENVIRONMENT = [
  /process\s*(\?\.|\.)\s*env\b|process\s*(\?\.)?\[/,
  /\benv\b[^;=]*\}?\s*(=\s*(globalThis\.)?process\b|from 'node:process')/,
  /\b\w*[eE]nv\s*(\?\.)?\[/,
  /\b\w*[eE]nv\s*\??\.\s*[A-Z][A-Z_]/,
  /\{[^{}]*\b[A-Z][A-Z_]{2,}\b[^{}]*\}\s*=\s*[\w.]*[eE]nv\b/,
];

const readsEnvironment = (text: string): boolean =>
  READS_ENVIRONMENT.some((form) => form.test(withoutComments(text)));

test('only src/config.ts reads the environment', () => {
  const readers = files.filter(({ text }) => readsEnvironment(text)).map(({ name }) => name);
  expect(readers).toEqual(['config.ts']);
});

test.each([
  "process.env['X']",
  'process.env.X',
  "process['env']",
  'const { env } = process;',
  'const { argv, env: given } = process;',
  "import { env } from 'node:process';",
  "env['CDVAULT_SERVICES']",
  'env[name]',
  "options.env['JAVA_HOME']",
  'config.env?.[name]',
  'childEnv.JAVA_HOME',
  'const { JAVA_HOME, PATH } = options.env;',
])('is found to read the environment: %s', (text) => {
  expect(readsEnvironment(text)).toBe(true);
});

test.each(['execa(command, { env: options.childEnv })', 'Object.entries(env)', 'process.exit(1)'])(
  'does not read the environment: %s',
  (text) => {
    expect(readsEnvironment(text)).toBe(false);
  },
);

test('ports hold types only', () => {
  const ports = files.filter((file) => file.name.startsWith('ports/'));
  const withCode = ports.filter((file) =>
    /^export (const|let|function|async|class|default)\b/m.test(file.text),
  );
  expect(withCode.map((file) => file.name)).toEqual([]);
});

/** Where each package may be imported, from src: a folder or a file, and not one more than needs it. */
const PACKAGES: Readonly<Record<keyof typeof packageJson.dependencies, readonly string[]>> = {
  '@bull-board/api': ['adapters/bullmq/board.ts'],
  '@bull-board/hono': ['adapters/bullmq/board.ts'],
  '@hono/node-server': ['adapters/bullmq/board.ts', 'adapters/http/server.ts'],
  '@opentelemetry/api': ['adapters/tracing/'],
  '@opentelemetry/exporter-trace-otlp-http': ['adapters/tracing/'],
  '@opentelemetry/resources': ['adapters/tracing/'],
  '@opentelemetry/sdk-trace': ['adapters/tracing/'],
  bullmq: ['adapters/bullmq/'],
  'cli-table3': ['cli/print/table.ts'],
  commander: ['cli/main.ts', 'cli/program.ts', 'cli/commands/', 'cli/input/'],
  esbuild: ['adapters/http/page.ts'],
  execa: ['adapters/services/', 'adapters/system/browser.ts'],
  hono: ['adapters/bullmq/board.ts', 'adapters/http/'],
  hyparquet: ['adapters/export/'],
  ioredis: [
    'adapters/redis/',
    'adapters/weight/',
    'adapters/bullmq/',
    'adapters/services/probes.ts',
  ],
  'lightweight-charts': ['page/'],
  'log-update': [
    'cli/commands/status.ts',
    'cli/print/backfill-progress.ts',
    'cli/print/copy-progress.ts',
    'cli/print/range-progress.ts',
  ],
  'lru-cache': ['adapters/http/', 'adapters/system/distilled-cache.ts'],
  'p-limit': ['adapters/questdb/'],
  'p-timeout': ['adapters/bullmq/workers.ts', 'adapters/system/within.ts'],
  pg: [
    'adapters/questdb/row-query.ts',
    'adapters/questdb/sql.ts',
    'adapters/questdb/store-error.ts',
    'adapters/services/probes.ts',
  ],
  pino: ['adapters/system/log.ts'],
  'pino-pretty': ['adapters/system/log.ts'],
  'prom-client': ['adapters/http/metrics.ts'],
  'rate-limiter-flexible': ['adapters/weight/window-budget.ts'],
  saxes: ['adapters/archive/listing.ts'],
  'temporal-polyfill': ['adapters/system/time-zones.ts'],
  umzug: ['adapters/questdb/migrate.ts'],
  // Requests to the exchange, its archive and QuestDB; proxies are set up for all of them.
  undici: [
    'adapters/alerts/webhook.ts',
    'adapters/archive/archive-host.ts',
    'adapters/binance/transport.ts',
    'adapters/grafana/grafana-facts.ts',
    'adapters/questdb/exp-connection.ts',
    'adapters/questdb/ilp-connection.ts',
    'adapters/services/probes.ts',
    'adapters/system/proxies.ts',
  ],
  yauzl: ['adapters/archive/zip-entry.ts'],
  zod: [
    'config.ts',
    'config-values.ts',
    'adapters/backup/backup-files.ts',
    'adapters/binance/',
    'adapters/bullmq/',
    'adapters/export/manifest-file.ts',
    'adapters/grafana/grafana-facts.ts',
    'adapters/http/api/',
    'adapters/redis/worker-register.ts',
    'adapters/redis/alert-states.ts',
    'adapters/redis/serve-address.ts',
    'adapters/services/home.ts',
    'cli/print/fingerprint-file.ts',
  ],
};

/** The package of an import: undefined for a module of src, of the project or of Node.js. */
function packageOf(imported: string): string | undefined {
  if (/^(node:|\.)/.test(imported) || existsSync(path.join(src, imported))) return undefined;
  return /^(@[^/]+\/)?[^/]+/.exec(imported)?.[0];
}

function strayPackages({ name, imports }: Pick<SourceFile, 'name' | 'imports'>): string[] {
  const places: Readonly<Record<string, readonly string[]>> = PACKAGES;
  return imports
    .map(packageOf)
    .filter((used) => used !== undefined)
    .filter((used) => !(places[used] ?? []).some((place) => name.startsWith(place)))
    .map((used) => `${name} imports ${used}`);
}

test('a package is imported where the table allows it only', () => {
  expect(files.flatMap(strayPackages)).toEqual([]);
});

test('the table allows no place that does not import the package', () => {
  const unused = Object.entries(PACKAGES).flatMap(([name, places]) =>
    places
      .filter((place) => {
        const inPlace = files.filter((file) => file.name.startsWith(place));
        return !inPlace.some(({ imports }) => imports.some((used) => packageOf(used) === name));
      })
      .map((place) => `${name} in ${place}`),
  );
  expect(unused).toEqual([]);
  expect(Object.keys(PACKAGES).filter((name) => !(name in packageJson.dependencies))).toEqual([]);
});

test.each([
  ["import pg from 'pg';", ['cli/x.ts imports pg']],
  ["import type { Redis } from 'ioredis';", ['cli/x.ts imports ioredis']],
  ["const { Agent } = await import('undici');", ['cli/x.ts imports undici']],
  ["export { Queue } from 'bullmq';", ['cli/x.ts imports bullmq']],
  ["import { csrf } from 'hono/csrf';", ['cli/x.ts imports hono']],
  ["import { Sender } from '@questdb/nodejs-client';", ['cli/x.ts imports @questdb/nodejs-client']],
  ["import { readFile } from 'node:fs/promises';", []],
  ["import { createSql } from '../adapters/questdb/sql.ts';", []],
])('packages of %s', (text, stray) => {
  expect(strayPackages({ name: 'cli/x.ts', imports: importsOf('cli/x.ts', text) })).toEqual(stray);
});

const LITERAL = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g;

/** A statement on a table. What has none is no SQL of ours: SELECT 1 asks whether somebody answers. */
const SQL =
  /\bselect\b[^;]*\bfrom\b|\binsert\s+into\b|\bupdate\s+\S+\s+set\b|\bdelete\s+from\b|\b(alter|create|drop|rename|truncate)\s+(or\s+replace\s+)?(materialized\s+)?(table|view)\b/i;

/** Statements in messages, for the user to run: nothing here sends them. */
const ADVICE = [
  /ALTER TABLE \S+ RESUME WAL/g,
  /ALTER TABLE \S+ SET TYPE WAL/g,
  /ALTER TABLE \S+ DEDUP ENABLE UPSERT KEYS/g,
  'select * from gaps where resolved_at is null',
  "select * from archive_files where evidence <> ''",
];

/** String and template literals that hold SQL, those that are put together with + as one. */
function sqlIn(text: string): string[] {
  const joined = withoutComments(text).replaceAll(/(['"`])\s*\+\s*\1/g, '');
  return [...joined.matchAll(LITERAL)]
    .map(([literal]) => ADVICE.reduce<string>((left, known) => left.replaceAll(known, ''), literal))
    .filter((literal) => SQL.test(literal));
}

test('SQL is in src/adapters/questdb only', () => {
  const outside = files.filter(({ name }) => !name.startsWith('adapters/questdb/'));
  expect(outside.flatMap(({ name, text }) => sqlIn(text).map((sql) => `${name}: ${sql}`))).toEqual(
    [],
  );
});

test.each([
  "sql.query('SELECT name FROM t')",
  'sql.query("select 1 from t")',
  'sql.query(`\n  SELECT a,\n    b\n  FROM ${table}`)',
  "'SELECT a, ' +\n  'b FROM t'",
  "'WITH x AS (SELECT a FROM t) SELECT * FROM x'",
  "'INSERT INTO t VALUES (1)'",
  '`UPDATE ${table} SET a = 1`',
  "'DELETE FROM t'",
  "'ALTER TABLE t ADD COLUMN a INT'",
  '`ALTER TABLE ${name} RESUME WAL; DROP TABLE t`',
  "'CREATE TABLE IF NOT EXISTS t (a INT)'",
  "'CREATE OR REPLACE VIEW v AS (x)'",
  "'TRUNCATE TABLE t'",
])('SQL is seen: %s', (text) => {
  expect(sqlIn(text)).toHaveLength(1);
});

test.each([
  "client.query('SELECT 1')",
  '`run ALTER TABLE ${table} RESUME WAL`',
  "'Free disk space, run ALTER TABLE <name> RESUME WAL, then go on'",
  "// 'SELECT a FROM t'\n/* 'DELETE FROM t' */",
  "'how many rows were taken from the table'",
  "['select', 'from'].includes(word)",
])('is no SQL: %s', (text) => {
  expect(sqlIn(text)).toEqual([]);
});

/** The linter knows every other clock; it has no rule against a Date that is made of nothing. */
/** A Date of a given time is pure; every other use of Date, and what else can tell the time or wait, is not. */
const PURE_DATE = /\bnew\s+Date\(\s*(?!\.\.\.)[^)\s]|\bDate\.(?:parse|UTC)\(/g;
const IMPURE =
  /\bDate\b|\bglobal\b|\bIntl\b|\bReflect\b|\bEvent\b|\bfetch\(|\bAbortSignal\.|\bMath\b(?!\.)|\bimport\(/;

const readsClock = (text: string): boolean =>
  IMPURE.test(withoutComments(text).replaceAll(PURE_DATE, ''));

test('src/domain uses no Date of the present time, nor what else can tell the time', () => {
  const inDomain = files.filter(({ name }) => name.startsWith('domain/'));
  expect(inDomain.filter(({ text }) => readsClock(text)).map(({ name }) => name)).toEqual([]);
});

test.each([
  'new Date()',
  'new Date( )',
  'new Date',
  'new Date;',
  'new  Date(\n)',
  'String(Date())',
  'const Day = Date; new Day()',
  'new Date(...[])',
  'new (Date)()',
  'Reflect.construct(Date, [])',
  "new Intl.DateTimeFormat('en').format()",
  'global.performance.now()',
  'AbortSignal.timeout(1)',
  "(await import('node:crypto')).randomUUID()",
  'const m = Math; m.random()',
])('a clock is seen: %s', (text) => {
  expect(readsClock(text)).toBe(true);
});

test.each([
  'new Date(ms)',
  'new Date(\n  ms,\n)',
  'Date.UTC(2024, 0)',
  'toDate()',
  '// new Date()',
])('is no clock: %s', (text) => {
  expect(readsClock(text)).toBe(false);
});
