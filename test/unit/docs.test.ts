import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { API_DOCS, apiDocs } from '../../scripts/write-api-docs.ts';
import { CLI_DOCS, cliDocs } from '../../scripts/write-cli-docs.ts';
import { ERROR_DOCS, errorDocs } from '../../scripts/write-error-docs.ts';
import { SETTINGS } from '../../src/config.ts';
import { EXIT } from '../../src/domain/exit-codes.ts';
import { factsOfSeries } from '../demo/own-sums.ts';
import { allEqual, CHECK, madeUpTrades, STRETCH } from '../demo/story.ts';

const ROOT = join(import.meta.dirname, '..', '..');

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

const filesIn = (folder: string, end: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(end))
    .map((name) => `${folder}/${name}`);

const pages = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...filesIn('docs', '.md'),
];

/** `### I1 Title` and the tests below it. */
const invariants = [...read('SPEC.md').matchAll(/^### I(\d+) (.+)\n([\s\S]*?)(?=^##)/gm)].map(
  ([, number, title = '', body = '']) => ({
    number: Number(number),
    title,
    tests: [...body.matchAll(/^- `([^`]+)`: "(.+)"$/gm)].map(([, file = '', name = '']) => ({
      file,
      name,
    })),
  }),
);

test('invariants are numbered from 1 on without a gap', () => {
  expect(invariants.length).toBeGreaterThan(10);
  expect(invariants.map(({ number }) => number)).toEqual(invariants.map((_, index) => index + 1));
});

test.each(invariants)('I$number names tests that exist: $title', ({ tests }) => {
  expect(tests.length).toBeGreaterThan(0);
  for (const { file, name } of tests) {
    expect(existsSync(join(ROOT, file)), `${file} exists`).toBe(true);
    expect(read(file), `${file} has the test`).toMatch(titleOf(name));
  }
});

/** The title as the whole first argument of a test. */
function titleOf(name: string): RegExp {
  return new RegExp(
    `\\(\\s*(['"\`])${name.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)}\\1,`,
  );
}

/** Matches where a test or group begins that never runs: skipped, or still to be written. */
const NEVER_RUN = /\b(?:test|it|describe|suite)(?:\.\w+)*\.(?:skip|todo)(?:\.\w+(?:\([^)]*\))?)*$/;

test.each(invariants)('I$number names tests that run: $title', ({ tests }) => {
  for (const { file, name } of tests) {
    const text = read(file);
    const { index = 0 } = titleOf(name).exec(text) ?? {};
    const groups = [...text.slice(0, index).matchAll(/^.*\bdescribe\b.*(?=\()/gm)].map(String);
    const begins = [text.slice(0, index), ...groups];
    expect(
      begins.filter((begin) => NEVER_RUN.test(begin.trimEnd())).map((begin) => begin.slice(-60)),
    ).toEqual([]);
    // Faults take turns (test/support/fault-turns.ts), so test/faults must not import `test` or `it` of vitest.
    if (file.startsWith('test/faults/'))
      expect(text, file).not.toMatch(/^import \{[^}]*\b(?:test|it)\b[^}]*\} from 'vitest'/m);
  }
});

test.each(['test.skip', 'describe.skip.each(rows)', 'it.todo', 'describe.concurrent.skip'])(
  'a test that begins with %s never runs',
  (begin) => {
    expect(begin).toMatch(NEVER_RUN);
  },
);

test.each(['docs/operations.md', 'SPEC.md'])('%s lists every exit code and no other', (page) => {
  const [, table = ''] = /^## Exit codes\n([\s\S]*?)(?=^## |(?![\s\S]))/m.exec(read(page)) ?? [];
  const codes = [...table.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
  expect(codes).toEqual(Object.values(EXIT).toSorted((left, right) => left - right));
});

test('docs/errors.md is what its script writes', () => {
  expect(readFileSync(ERROR_DOCS, 'utf8')).toBe(errorDocs());
});

test('docs/api.md is what scripts/write-api-docs.ts makes of the schemas', () => {
  const written = readFileSync(API_DOCS, 'utf8');
  expect(written).toBe(apiDocs(written));
});

test('docs/cli.md is what scripts/write-cli-docs.ts makes of the commands', () => {
  expect(readFileSync(CLI_DOCS, 'utf8')).toBe(cliDocs());
});

test('docs/cli.md has every verb, an option with its default, and the variable that it sets', () => {
  for (const verb of verbs) expect(cliDocs()).toContain(`## cdvault ${verb}\n`);
  expect(cliDocs()).toMatch(
    /^\| `--concurrency <n>` \| .*\(default: 8\); sets \[`CDVAULT_CONCURRENCY`\]\(configuration.md#work\) \|$/m,
  );
  expect(cliDocs()).toContain('Exit codes:\n');
});

const settings = Object.values(SETTINGS).map(({ env }) => env);
const sorted = (names: readonly string[]): string[] => [...new Set(names)].toSorted();

test('.env.example has every variable that is read, and no other', () => {
  const listed = [...read('.env.example').matchAll(/^#?([A-Z_]+)=/gm)].map(([, name = '']) => name);
  const compose = [...read('docker-compose.yml').matchAll(/\$\{(\w+)/g)].map(
    ([, name = '']) => name,
  );
  expect(sorted(listed)).toEqual(sorted([...settings, ...compose]));
});

const CONFIGURATION = 'docs/configuration.md';

test(`.env.example and ${CONFIGURATION} give the defaults of the settings`, () => {
  for (const { env, default: value } of Object.values(SETTINGS)) {
    if (value === '') continue;
    expect(read('.env.example')).toContain(`#${env}=${value}\n`);
    expect(read(CONFIGURATION)).toContain(`| \`${env}\` | \`${value}\` |`);
  }
});

test(`${CONFIGURATION} has every setting and no other, each once`, () => {
  const listed = [...read(CONFIGURATION).matchAll(/^\| `([A-Z_]+)` \|/gm)].map(
    ([, name = '']) => name,
  );
  expect(listed.toSorted()).toEqual(sorted(settings));
});

test('docker-compose.yml passes every setting to the containers', () => {
  const ours = Object.entries(SETTINGS).filter(
    // Settings of services that cdvault starts itself, which it does not do in a container.
    ([name]) => !['services', 'home', 'jarDir', 'dataHome', 'javaHome'].includes(name),
  );
  const file = read('docker-compose.yml');
  expect(ours.map(([, { env }]) => env).filter((env) => !file.includes(`  ${env}: `))).toEqual([]);
});

const commands = filesIn('src/cli/commands', '.ts').map(read).join('\n');
const verbs = [...commands.matchAll(/\.command\('(\w+)'\)/g)].map(([, verb = '']) => verb);

test('docs/operations.md names every verb of the command line', () => {
  expect(verbs.length).toBeGreaterThan(10);
  const operations = read('docs/operations.md');
  for (const verb of verbs) expect(operations).toMatch(new RegExp(`\`${verb}(\`| )`));
});

test('commands on the pages have verbs and flags that exist', () => {
  const flags = new Set(
    filesIn('src/cli', '.ts').flatMap((file) =>
      [...read(file).matchAll(/'(--[a-z][a-z-]*)/g)].map(([, flag = '']) => flag),
    ),
  );
  const calls = pages.flatMap((page) =>
    [...read(page).matchAll(/bin\/cdvault (\w+)((?:\\\n|[^\n`|;#)])*)/g)].map(
      ([call, verb = '', rest = '']) => ({ call: `${page}: ${call}`, verb, rest }),
    ),
  );
  expect(calls.length).toBeGreaterThan(20);
  for (const { call, verb, rest } of calls) {
    expect(verbs, call).toContain(verb);
    for (const [flag] of rest.matchAll(/--[a-z][a-z-]*/g)) expect([...flags], call).toContain(flag);
  }
});

test('docs/README.md leads to every page of docs', () => {
  const index = read('docs/README.md');
  const unlisted = filesIn('docs', '.md')
    .map((page) => page.slice('docs/'.length))
    .filter((page) => page !== 'README.md' && !/^adr\/\d/.test(page))
    .filter((page) => !index.includes(`](${page})`));
  expect(unlisted).toEqual([]);
  expect(read('README.md')).toContain('](docs/README.md)');
});

/** As docs/tables.md writes the names that each series has. */
const OF_SERIES: Readonly<Record<string, string>> = {
  '{trades_table}': 'agg_trades_<market>_<symbol>_<n>',
  '{trades_view}': 'trades_<market>_<symbol>',
};

test('docs/tables.md has every table and view', () => {
  const created = filesIn('migrations', '.sql').flatMap((file) =>
    [...read(file).matchAll(/^CREATE (?:TABLE IF NOT EXISTS|OR REPLACE VIEW) ([\w{}]+)/gm)].map(
      ([, name = '']) => OF_SERIES[name] ?? name.replace('{interval}', '<i>'),
    ),
  );
  expect(created.length).toBeGreaterThan(15);
  const tables = read('docs/tables.md');
  for (const name of created) expect(tables).toContain(`\`${name}\``);
});

test.each(['README.md', 'docs/getting-started.md'])('%s shows what the demo ends with', (page) => {
  const facts = factsOfSeries(madeUpTrades(), STRETCH);
  expect(read(page)).toContain(`6. ${CHECK}\n${allEqual(facts)}\n`);
});

test.each(pages)('links of %s have a target', (page) => {
  for (const [, target = ''] of read(page).matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^https?:/.test(target)) continue;
    const [path = '', anchor] = target.split('#');
    const file = path === '' ? page : normalize(join(dirname(page), path));
    expect(existsSync(join(ROOT, file)), `${page} links to ${target}`).toBe(true);
    if (anchor !== undefined)
      expect(anchorsOf(file), `${page} links to ${target}`).toContain(anchor);
  }
});

/** The anchors that GitHub gives to headings. */
function anchorsOf(page: string): string[] {
  return [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

test('files that the pages name in backquotes exist', () => {
  const folders = /^(?:src|test|migrations|scripts|docs|bin|\.ci)\/[\w./-]+\w\/?$/;
  for (const page of pages) {
    for (const [, name = ''] of read(page).matchAll(/`([^`\s]+)`/g)) {
      if (folders.test(name)) expect(existsSync(join(ROOT, name)), `${page}: ${name}`).toBe(true);
    }
  }
});

test.each([
  ['README.md', 80],
  ['ARCHITECTURE.md', 120],
])('%s has at most %i lines', (page, most) => {
  expect(read(page).trimEnd().split('\n').length).toBeLessThanOrEqual(most);
});
