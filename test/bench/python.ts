import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { BENCH_DIR } from './place.ts';
import { type Ran, runWatched } from './process-meter.ts';

const INSTALL = path.join(import.meta.dirname, '../../scripts/install-services.sh');
const REQUIREMENTS = path.join(import.meta.dirname, 'requirements.txt');
const VENV = path.join(BENCH_DIR, 'python');
/** What the environment was made of; written last. */
const MADE_OF = path.join(VENV, 'made-of.txt');

/** A Python with the pinned packages, made once. @returns the interpreter */
export function obtainPython(say: (line: string) => void): string {
  const python = path.join(VENV, 'bin/python');
  const wanted = readFileSync(REQUIREMENTS, 'utf8');
  if (existsSync(MADE_OF) && readFileSync(MADE_OF, 'utf8') === wanted) return python;
  // Debian has it apart from Python, and Python itself may not be there.
  if (spawnSync('python3', ['-c', 'import ensurepip']).status !== 0)
    run('sh', [INSTALL, 'python'], { JAR_DIR: BENCH_DIR });
  say('installing pandas and the QuestDB client (pip, once)');
  run('python3', ['-m', 'venv', '--clear', VENV]);
  run(python, ['-m', 'pip', 'install', '-q', '--disable-pip-version-check', '-r', REQUIREMENTS]);
  writeFileSync(MADE_OF, wanted);
  return python;
}

function run(command: string, args: readonly string[], more: Record<string, string> = {}): void {
  const env = { ...process.env, ...more };
  const { status, error } = spawnSync(command, args, {
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed`, { cause: error });
}

/** What the programs print of themselves; the client's gives rows only. */
interface Said {
  'notebook.py': { readonly rows: number; readonly wallS: number; readonly cpuS: number };
  'client.py': { readonly rows: number };
  'reader.py': { readonly rows: number; readonly ms: readonly number[] };
}

/** Runs a program of this folder to its end. @throws Error when it fails */
export async function runPython<Program extends keyof Said>(
  python: string,
  program: Program,
  args: readonly string[],
): Promise<Ran & { readonly said: Said[Program] }> {
  const ran = await runWatched(python, [path.join(import.meta.dirname, program), ...args], {});
  if (ran.exitCode !== 0) throw new Error(`${program} failed (${ran.exitCode}): ${ran.stderr}`);
  return { ...ran, said: JSON.parse(ran.stdout) as Said[Program] };
}
