import path from 'node:path';
import type { Command } from 'commander';
import { appliedMigrations } from '../../adapters/questdb/migrate.ts';
import { checkVersion } from '../../adapters/questdb/server-check.ts';
import { backUp } from '../../app/keep/back-up.ts';
import { CdvaultError } from '../../domain/errors.ts';
import { EXIT, type ExitCode } from '../../domain/exit-codes.ts';
import { VERSION } from '../../version.ts';
import { CopyProgress } from '../print/copy-progress.ts';
import { counted, formatBytes } from '../print/format.ts';
import { print, say, withApp } from '../session.ts';

interface BackupOptions {
  readonly out: string;
  readonly data?: string;
  readonly json?: boolean;
}

export function registerBackup(program: Command, finish: (exitCode: ExitCode) => void): void {
  program
    .command('backup')
    .summary('copy the whole store into a folder, while work goes on')
    .description(
      'Copies QuestDB’s files as they are at a checkpoint, and a manifest with the SHA-256 of each file, ' +
        'into a new folder below --out. Workers may go on; compact and prune wait. Files that the newest ' +
        'backup there has with the same content are linked to it and take no space. Redis is not copied: ' +
        'what is in it is planned again from the store.',
    )
    .requiredOption('--out <folder>', 'a folder for backups; each gets a folder of its own in it')
    .option(
      '--data <folder>',
      'QuestDB’s root folder, when cdvault has not started it as a process',
    )
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExit codes:\n' +
        '  0    the backup is whole\n' +
        '  2    invalid usage\n' +
        '  7    the folder cannot be written, or QuestDB is in a checkpoint of another program\n' +
        '  130  interrupted; earlier backups are untouched\n',
    )
    .action(async (options: BackupOptions) => {
      const { openBackup } = await import('../../adapters/backup/backup-folder.ts');
      finish(
        await withApp({ drains: true }, async ({ app, signal }) => {
          const root = dataFolder(app.storeDir, options);
          const backup = await openBackup(options.out, root, app.clock.nowMs());
          const progress = new CopyProgress();
          const deps = {
            ...app,
            onWait: () => say('waiting until compact, prune or another backup has ended'),
            onFile: progress.onFile,
          };
          const versions = {
            version: VERSION,
            questdb: await checkVersion(app.sql, app.log),
            migrations: await appliedMigrations(app.sql),
          };
          const { folder, copied } = await backUp(deps, backup, versions, signal);
          progress.clear();
          if (options.json === true) print(JSON.stringify({ type: 'backup', folder, ...copied }));
          else
            print(
              `${folder}: ${counted(copied.files, 'file')}, ${formatBytes(copied.bytes)}, ` +
                `${formatBytes(copied.linkedBytes)} of it as in the backup before`,
            );
          return EXIT.ok;
        }),
      );
    });
}

function dataFolder(storeDir: string | undefined, { data }: BackupOptions): string {
  if (data !== undefined) return path.resolve(data);
  if (storeDir !== undefined) return path.resolve(storeDir, 'questdb');
  throw new CdvaultError('USAGE', 'the folder of QuestDB is not known', {
    advice: 'Give its root folder on this machine with --data (it has a folder db).',
  });
}
