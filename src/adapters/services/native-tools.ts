import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { stripVTControlCharacters } from 'node:util';
import { execa } from 'execa';
import { CdvaultError } from '../../domain/errors.ts';
import { projectRoot } from './project-root.ts';
import type { Env, ServicesOptions } from './types.ts';

/** scripts/install-services.sh has the same version and checksum. */
const QUESTDB_JAR = 'questdb-9.3.4.jar';
const QUESTDB_JAR_SHA256 = '939bc53ab22f93dbaa6545143a6e7c536d4904c07b7f2d381e8eef10436be062';
const JAVA_NEEDED = 17;
const REDIS_NEEDED = 7;

export interface NativeTools {
  readonly redisServer: string;
  readonly java: string;
  readonly javaMajor: number;
  readonly questdbJar: string;
}

async function versionOf(
  env: Env,
  command: string,
  args: readonly string[],
  pattern: RegExp,
): Promise<number> {
  const { all, failed } = await execa(command, args, {
    env: definedOnly(env),
    extendEnv: false,
    reject: false,
    all: true,
    stdin: 'ignore',
  });
  const major = pattern.exec(all)?.[1];
  return failed || major === undefined ? 0 : Number(major);
}

function definedOnly(env: Env): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

interface Search {
  readonly tools: NativeTools;
  readonly missing: readonly ('redis' | 'java' | 'jar')[];
}

async function searchTools({ childEnv, javaHome, jarDir }: ServicesOptions): Promise<Search> {
  const candidates = [...(javaHome === '' ? [] : [path.join(javaHome, 'bin', 'java')]), 'java'];
  const questdbJar = path.join(jarDir, QUESTDB_JAR);
  const [redisMajor, jarSum, ...javaMajors] = await Promise.all([
    versionOf(childEnv, 'redis-server', ['--version'], /\bv=(\d+)\./),
    existsSync(questdbJar) ? sha256(questdbJar) : '',
    ...candidates.map(async (java) => versionOf(childEnv, java, ['-version'], /version "(\d+)/)),
  ]);
  const chosen = javaMajors.findIndex((major) => major >= JAVA_NEEDED);
  const tools = {
    redisServer: 'redis-server',
    java: candidates[chosen] ?? 'java',
    javaMajor: javaMajors[chosen] ?? 0,
    questdbJar,
  };
  const missing: ('redis' | 'java' | 'jar')[] = [];
  if (redisMajor < REDIS_NEEDED) missing.push('redis');
  if (chosen < 0) missing.push('java');
  if (jarSum !== QUESTDB_JAR_SHA256) missing.push('jar');
  return { tools, missing };
}

/**
 * Finds redis-server, Java and the QuestDB jar. Installs what is missing and reports that.
 * @throws CdvaultError SERVICES_MISSING
 */
export async function obtainTools(options: ServicesOptions): Promise<NativeTools> {
  const first = await searchTools(options);
  if (first.missing.length === 0) return first.tools;
  await runInstaller(first.missing, options);
  const second = await searchTools(options);
  if (second.missing.length === 0) return second.tools;
  throw new CdvaultError(
    'SERVICES_MISSING',
    `still missing after the installation: ${namesOf(second.missing)}`,
    {
      advice: `Install redis-server ${REDIS_NEEDED} or later and Java ${JAVA_NEEDED} or later on the PATH, or set the service URLs.`,
    },
  );
}

function namesOf(missing: Search['missing']): string {
  const names = {
    redis: `redis-server >= ${REDIS_NEEDED}`,
    java: `java >= ${JAVA_NEEDED}`,
    jar: QUESTDB_JAR,
  };
  return missing.map((part) => names[part]).join(', ');
}

async function runInstaller(missing: Search['missing'], options: ServicesOptions): Promise<void> {
  options.say(`not installed yet: ${namesOf(missing)}`);
  const script = path.join(projectRoot, 'scripts', 'install-services.sh');
  const child = execa('sh', [script, ...missing], {
    env: { ...definedOnly(options.childEnv), JAR_DIR: options.jarDir },
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    buffer: { stdout: false, stderr: true },
    cancelSignal: options.signal,
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const text = stripVTControlCharacters(line).trim();
    if (text !== '') options.say(text);
  }
  const result = await child;
  options.signal.throwIfAborted();
  if (result.failed) {
    throw new CdvaultError(
      'SERVICES_MISSING',
      `could not install ${namesOf(missing)}:\n${result.stderr.trim()}`,
      {
        advice:
          'Install them as described above, start a container engine, or set the service URLs (see .env.example).',
      },
    );
  }
}
