import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { CliProcess } from '../support/command-line.ts';
import { makeOwnServices } from '../support/own-services.ts';
import { SmallDisk } from '../support/small-disk.ts';
import { fault, printFaultTable } from './fault.ts';
import { inPlace, lineWith, type Place, startedBackfill } from './place.ts';

const RUN = { hours: 6, tradesPerHour: 2_500, concurrency: 2, latencyMs: 60 };

/** More than the number of tables that can be suspended. */
const TRIES = 20;

/** Runs the command and follows its advice until it succeeds. */
async function followAdvice({ rig, app, backfill }: Place): Promise<void> {
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const result = await rig.cli(backfill);
    if (result.exitCode === 0) return;
    expect(result.stderr).toContain('run ALTER TABLE <name> RESUME WAL and the same command again');
    const table = /error TABLE_SUSPENDED: .*\[tableName=(\w+)\]/.exec(result.stderr)?.[1];
    expect(table, result.stderr).toBeDefined();
    await app.sql.query(`ALTER TABLE ${table ?? ''} RESUME WAL`);
  }
  throw new Error(`the command still fails after following its advice ${TRIES} times`);
}

/** What became of the command on the full disk. */
type Ending = 'failed' | 'questdb crashed';

fault('the disk of QuestDB gets full during a run', 'slow', async (report) => {
  const own = await makeOwnServices();
  const disk = new SmallDisk(path.join(own.options.homeDir, 'questdb'));
  const why = await disk.mount();
  if (why !== undefined) {
    await own.dispose();
    report.skip(`no disk can be mounted here: ${why}`);
  }
  /** The command fails, or QuestDB crashes, as 9.3.4 sometimes does; then the command waits for it. */
  const ending = async (command: CliProcess): Promise<Ending> => {
    const ended = new AbortController();
    const done = command.done.finally(() => ended.abort());
    while (!ended.signal.aborted) {
      if (await own.isGone('questdb')) return 'questdb crashed';
      await sleep(50);
    }
    const result = await done;
    expect(result.stderr).toMatch(/error TABLE_SUSPENDED: |error STORE_REFUSED: .*No space left/);
    expect(result.stderr).toMatch(/Free disk space|a full disk/);
    expect(result).toMatchObject({ exitCode: 7 });
    report.saw(lineWith(result, 'error '));
    return 'failed';
  };
  try {
    await inPlace({ ...RUN, services: await own.start() }, async (place) => {
      let command = await startedBackfill(place);
      await disk.fill();
      if ((await ending(command)) === 'failed') {
        command = place.rig.startCli(place.backfill);
        await ending(command);
      }
      await disk.makeRoom();
      if (await own.isGone('questdb')) {
        report.saw('QuestDB crashed');
        await own.start();
      }
      await command.done;
      await followAdvice(place);
    });
  } finally {
    await own.stop();
    await disk.unmount();
    await own.dispose();
  }
});

printFaultTable();
