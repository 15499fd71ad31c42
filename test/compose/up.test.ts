import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCli } from '../support/command-line.ts';
import { docker, engineEnv } from './stack.ts';

/** `bin/cdvault up` on an engine starts two services of docker-compose.yml and no others. */

let home: string;
let project: string | undefined;

beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'cdvault-home-'));
});

afterAll(async () => {
  if (project !== undefined) await docker('compose', '-p', project, 'down', '--volumes');
  await rm(home, { recursive: true, force: true });
});

const bin = async (...args: readonly string[]) =>
  runCli(args, {
    via: 'bin',
    env: {
      ...engineEnv(),
      PATH: `${path.dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
      CDVAULT_HOME: home,
    },
  });

async function running(): Promise<string[]> {
  const names = await docker(
    'ps',
    '--format={{.Label "com.docker.compose.service"}}',
    `--filter=label=com.docker.compose.project=${project}`,
  );
  return names
    .split('\n')
    .filter((name) => name !== '')
    .toSorted();
}

test('up chooses containers, starts only Redis and QuestDB, and updates the schema', async () => {
  const up = await bin('up');
  expect(up.exitCode, up.stderr).toBe(0);
  expect(up.stderr).toContain('services: containers, because a container engine answers');
  const remembered = await readFile(path.join(home, 'services.json'), 'utf8');
  const { containers } = JSON.parse(remembered) as { containers: { redis: number } };
  project = await docker(
    'ps',
    '--format={{.Label "com.docker.compose.project"}}',
    `--filter=publish=${containers.redis}`,
  );
  expect(project).toMatch(/^cdvault-[0-9a-f]{8}$/);
  expect(await running()).toEqual(['questdb', 'redis']);
});

test('a later command finds them, and down stops them', async () => {
  const status = await bin('status');
  expect(status.exitCode, status.stderr).toBe(0);
  expect(status.stdout).toContain('nothing is stored yet');
  const down = await bin('down');
  expect(down.stderr).toContain('stopped redis (container), questdb (container); data is kept');
  expect(await running()).toEqual([]);
});
