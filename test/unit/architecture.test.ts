import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

const src = path.resolve(import.meta.dirname, '..', '..', 'src');

/** Adapters that every other adapter may build on; a second exchange stays one new folder. */
const SHARED_ADAPTERS = ['system', 'redis'];

interface SourceFile {
  /** From src, with slashes. */
  readonly name: string;
  readonly text: string;
  /** Modules of src as names like `name`; packages and node: modules as they stand. */
  readonly imports: readonly string[];
}

/** Static imports, re-exports and import() with a literal: all that the project uses. */
const IMPORT =
  /(?:^|[\s;}])(?:import|export)\s[^'"`;]*?from\s*['"]([^'"]+)['"]|(?:^|[\s;])import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/g;

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
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
  // Hashing is as pure as adding; the platform happens to keep it in a module.
  domain: (imported) => imported.startsWith('domain/') || imported === 'node:crypto',
  ports: (imported) => /^(domain|ports)\//.test(imported),
  app: (imported) => /^(domain|ports|app)\//.test(imported),
  adapters: (imported, name) => {
    if (!/^(app|cli|adapters)\/|^config\.ts$|^\.\./.test(imported)) return true;
    const own = name.split('/')[1] ?? '';
    return [own, ...SHARED_ADAPTERS].some((adapter) => imported.startsWith(`adapters/${adapter}/`));
  },
};

const existing = readdirSync(src).filter((name) => statSync(path.join(src, name)).isDirectory());

describe.each(Object.entries(RULES))('src/%s', (folder, mayImport) => {
  const inFolder = files.filter((file) => file.name.startsWith(`${folder}/`));

  test.runIf(existing.includes(folder))('imports only what its place in the picture allows', () => {
    expect(inFolder.length).toBeGreaterThan(0);
    const wrong = inFolder.flatMap((file) =>
      file.imports
        .filter((imported) => !mayImport(imported, file.name))
        .map((imported) => `${file.name} imports ${imported}`),
    );
    expect(wrong).toEqual([]);
  });
});

test('every folder of src has a rule or is the command line', () => {
  expect(existing.filter((name) => name !== 'cli' && RULES[name] === undefined)).toEqual([]);
});

test('the parser sees every kind of import', () => {
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

/** A variable read by its name, however the environment has been handed on, and all ways to the environment itself. */
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
])('a read of the environment is seen: %s', (text) => {
  expect(readsEnvironment(text)).toBe(true);
});

test.each(['execa(command, { env: options.childEnv })', 'Object.entries(env)', 'process.exit(1)'])(
  'is none: %s',
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

/** The linter knows every other clock; it has no rule against a Date that is made of nothing. */
const READS_CLOCK = /\bnew\s+Date\b(?!\s*\(\s*[^)\s])|(?<!new\s+)\bDate\s*\(/;

const readsClock = (text: string): boolean => READS_CLOCK.test(withoutComments(text));

test('src/domain makes no Date of the present time', () => {
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
