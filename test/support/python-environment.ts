import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { withHomeLock } from '../../src/adapters/services/home-lock.ts';

const INSTALL = path.join(import.meta.dirname, '../../scripts/install-services.sh');
const PACKAGES = path.join(import.meta.dirname, 'python-packages.txt');
const HOME = path.join(import.meta.dirname, '../../.cdvault/test-python');

/** Whether Python can make environments: on Debian that is a separate package. */
function canMakeEnvironments(): boolean {
  return spawnSync('python3', ['-c', 'import ensurepip']).status === 0;
}

/** A CI machine installs missing packages; on other machines the user does. */
export const CAN_RUN_CLIENTS_PYTHON = canMakeEnvironments() || process.env['CI'] === 'true';

/** The title of the skipped test, which is also printed, since reporters omit the names of skipped tests. */
export function clientsPythonMissing(what: string): string {
  const missing = `PYTHON MISSING: ${what} not checked with Python. Install python3 and python3-venv`;
  process.stderr.write(`${missing}\n`);
  return missing;
}

/**
 * Makes a Python environment with pinned packages, once.
 * @param requirements a requirements file of pip
 * @returns the path of the interpreter
 */
export function makePythonEnvironment(
  dir: string,
  requirements: string,
  say: (line: string) => void,
): string {
  const python = path.join(dir, 'bin/python');
  /** A copy of the requirements, written when the environment is complete. */
  const madeOf = path.join(dir, 'made-of.txt');
  const wanted = readFileSync(requirements, 'utf8');
  if (existsSync(madeOf) && readFileSync(madeOf, 'utf8') === wanted) return python;
  if (!canMakeEnvironments()) installPart('python');
  say(`installing the packages of ${path.basename(requirements)} (pip, once)`);
  run('python3', ['-m', 'venv', '--clear', dir]);
  run(python, ['-m', 'pip', 'install', '-q', '--disable-pip-version-check', '-r', requirements]);
  writeFileSync(madeOf, wanted);
  return python;
}

/** Runs scripts/install-services.sh for one of its parts. */
export function installPart(part: 'python' | 'psql'): void {
  run('sh', [INSTALL, part], { JAR_DIR: HOME });
}

function run(command: string, args: readonly string[], more: Record<string, string> = {}): void {
  const env = { ...process.env, ...more };
  const { status, error } = spawnSync(command, args, {
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed`, { cause: error });
}

/** A Python with the clients of the documentation. Locked, since several test files may need it at once. */
export async function clientsPython(): Promise<string> {
  mkdirSync(HOME, { recursive: true });
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  const { signal } = new AbortController();
  return withHomeLock({ homeDir: HOME, say, signal }, async () =>
    makePythonEnvironment(path.join(HOME, 'environment'), PACKAGES, say),
  );
}

/** @returns the output of a program @throws Error with its output when it fails */
export async function runPython(
  program: string,
  env: Readonly<Record<string, string>> = {},
  cwd = HOME,
): Promise<string> {
  const python = await clientsPython();
  const { stdout } = await execa(python, ['-c', program], { env, cwd });
  return stdout;
}
