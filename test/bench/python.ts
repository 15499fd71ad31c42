import path from 'node:path';
import { makePythonEnvironment } from '../support/python-environment.ts';
import { BENCH_DIR } from './place.ts';
import { type Ran, runWatched } from './process-meter.ts';

const REQUIREMENTS = path.join(import.meta.dirname, 'requirements.txt');

/** Makes a Python environment with pandas and the QuestDB client, once. @returns the path of the interpreter */
export function obtainPython(say: (line: string) => void): string {
  return makePythonEnvironment(path.join(BENCH_DIR, 'python'), REQUIREMENTS, say);
}

/** The JSON that each program prints. */
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
