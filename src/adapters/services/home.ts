import { randomBytes } from 'node:crypto';
import { chmodSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { CdvaultError } from '../../domain/errors.ts';
import { isOfSystem, makeFolder } from '../system/folders.ts';
import type { ServicePorts, ServiceSecrets, ServiceUrls } from './types.ts';

/** User names as they appear in psql and in the QuestDB console. */
export const QUESTDB_USER = 'cdvault';
export const QUESTDB_READER = 'reader';

const portsSchema = z.object({
  redis: z.number().int(),
  questdbHttp: z.number().int(),
  questdbHealth: z.number().int(),
  questdbPg: z.number().int(),
});
const rememberedSchema = z.object({
  /** The rung used last. It has the data, so it is used again. */
  how: z.enum(['containers', 'native']),
  native: portsSchema.optional(),
  containers: portsSchema.optional(),
});
const secretsSchema = z.object({
  redis: z.string().min(16),
  questdb: z.string().min(16),
  questdbReader: z.string().min(16),
});

export type Remembered = z.infer<typeof rememberedSchema>;
export type OwnRung = Remembered['how'];

/** @throws CdvaultError FOLDER_UNUSABLE with the system's reason */
function inHome<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!isOfSystem(error)) throw error;
    throw new CdvaultError('FOLDER_UNUSABLE', `CDVAULT_HOME: ${error.message}`, { cause: error });
  }
}

function readJson<T>(file: string, schema: z.ZodType<T>): T | undefined {
  const text = inHome(() => readIfThere(file));
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new CdvaultError('SERVICES_CONFIG', `${file} cannot be read`, {
      advice: `Run \`cdvault down\` with the version that wrote it, or stop the services yourself and delete ${file}.`,
      cause: error,
    });
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (isOfSystem(error) && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Readers see the old file or the new one, never half of it. */
export function writeWhole(file: string, text: string, mode = 0o644): void {
  const part = `${file}.${process.pid}.part`;
  inHome(() => {
    writeFileSync(part, text, { mode });
    chmodSync(part, mode);
    renameSync(part, file);
  });
}

/** @throws CdvaultError FOLDER_UNUSABLE */
export function makeHome(homeDir: string): void {
  // Other users of the machine must not read it: it holds passwords, logs and data.
  inHome(() => makeFolder(homeDir, 0o700));
}

const rememberedFile = (homeDir: string): string => path.join(homeDir, 'services.json');

export function readRemembered(homeDir: string): Remembered | undefined {
  return readJson(rememberedFile(homeDir), rememberedSchema);
}

export function rememberPorts(homeDir: string, how: OwnRung, ports: ServicePorts): void {
  const before = readRemembered(homeDir);
  const next: Remembered = { ...before, how, [how]: ports };
  writeWhole(rememberedFile(homeDir), `${JSON.stringify(next, null, 2)}\n`);
}

const secretsFile = (homeDir: string): string => path.join(homeDir, 'secrets.json');

export function readSecrets(homeDir: string): ServiceSecrets | undefined {
  return readJson(secretsFile(homeDir), secretsSchema);
}

/** 24 random bytes. base64url needs no escaping in a URL, in redis.conf or in server.conf. */
const password = (): string => randomBytes(24).toString('base64url');

/** Created once for each home. They never change, since the servers' data contains them. */
export function obtainSecrets(homeDir: string): ServiceSecrets {
  const known = readSecrets(homeDir);
  if (known !== undefined) return known;
  const secrets: ServiceSecrets = {
    redis: password(),
    questdb: password(),
    questdbReader: password(),
  };
  writeWhole(secretsFile(homeDir), `${JSON.stringify(secrets, null, 2)}\n`, 0o600);
  return secrets;
}

export function urlsFor(how: OwnRung, ports: ServicePorts, secrets: ServiceSecrets): ServiceUrls {
  return {
    how,
    redisUrl: `redis://:${secrets.redis}@127.0.0.1:${ports.redis}/0`,
    questdbHttpUrl: `http://${QUESTDB_USER}:${secrets.questdb}@127.0.0.1:${ports.questdbHttp}`,
    questdbPgUrl: `postgresql://${QUESTDB_USER}:${secrets.questdb}@127.0.0.1:${ports.questdbPg}/qdb`,
    questdbReadonlyPgUrl: `postgresql://${QUESTDB_READER}:${secrets.questdbReader}@127.0.0.1:${ports.questdbPg}/qdb`,
  };
}

/** Creates `file` with its content in one step; returns false if it exists. */
export function createExclusively(file: string, text: string): boolean {
  const part = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  return inHome(() => {
    try {
      writeFileSync(part, text);
      linkSync(part, file);
      return true;
    } catch (error) {
      if (isOfSystem(error) && error.code === 'EEXIST') return false;
      throw error;
    } finally {
      rmSync(part, { force: true });
    }
  });
}
