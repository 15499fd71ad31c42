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

test('only src/config.ts reads the environment', () => {
  const readers = files.filter((file) =>
    /process\s*(\.\s*env|\[\s*['"]env)|\benv\b[^;]*from 'node:process'/.test(
      withoutComments(file.text),
    ),
  );
  expect(readers.map((file) => file.name).filter((name) => name !== 'config.ts')).toEqual([]);
});

test('ports hold types only', () => {
  const ports = files.filter((file) => file.name.startsWith('ports/'));
  const withCode = ports.filter((file) =>
    /^export (const|let|function|async|class|default)\b/m.test(file.text),
  );
  expect(withCode.map((file) => file.name)).toEqual([]);
});
