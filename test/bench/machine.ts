import { spawnSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import os from 'node:os';
import { createSql } from '../../src/adapters/questdb/sql.ts';
import { freshStore } from './place.ts';

/** The machine and the versions of the programs, in one line. */
export async function describeMachine(): Promise<string> {
  await using store = await freshStore();
  const sql = createSql(store.urls.questdbReadonlyPgUrl, 1);
  try {
    const [build] = await sql.query('SELECT build() AS build');
    const questdb = /QuestDB ([\d.]+)/.exec(build?.['build'] ?? '')?.[1] ?? 'of unknown version';
    const java = versionOf(readlinkSync(`/proc/${store.pids.QuestDB}/exe`), '-version');
    const redis = versionOf(readlinkSync(`/proc/${store.pids.Redis}/exe`), '--version');
    const gigabytes = (os.totalmem() / 2 ** 30).toFixed(0);
    return (
      `${os.cpus().length} cores (${os.cpus()[0]?.model ?? 'unknown'}), ${gigabytes} GiB of memory, ` +
      `${os.type()} ${os.release()}; Node.js ${process.versions.node}, QuestDB ${questdb}, Java ${java}, Redis ${redis}`
    );
  } finally {
    await sql.close();
  }
}

/** The first dotted version number that a program prints. */
function versionOf(program: string, flag: string): string {
  const { stdout, stderr } = spawnSync(program, [flag], { encoding: 'utf8' });
  return /\d+(\.\d+)+/.exec(`${stdout}${stderr}`)?.[0] ?? 'of unknown version';
}
