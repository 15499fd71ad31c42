import type { Command } from 'commander';
import { stopServices } from '../../adapters/services/ladder.ts';
import { settleRestored } from '../../app/keep/settle-restored.ts';
import { loadConfig } from '../../config.ts';
import { EXIT, type ExitCode } from '../../domain/exit-codes.ts';
import { type Series, seriesKey } from '../../domain/market.ts';
import type { BackupManifest } from '../../ports/backup.ts';
import { CopyProgress } from '../print/copy-progress.ts';
import { counted, formatBytes, isoMinute } from '../print/format.ts';
import { listeningForSignals, print, say, servicesOptions, withApp } from '../session.ts';

interface RestoreOptions {
  readonly from: string;
}

/** QuestDB’s files are restored below the home, so the services are processes of this machine. */
const OVERRIDES = { services: 'native' } as const;

export function registerRestore(program: Command, finish: (exitCode: ExitCode) => void): void {
  program
    .command('restore')
    .summary('make a store from a backup, in an empty CDVAULT_HOME')
    .description(
      'Copies a backup into CDVAULT_HOME, which must have no services yet, compares each file with its ' +
        'SHA-256, and starts Redis and QuestDB there as processes of this machine. Hours that were being ' +
        'stored during the backup and are not whole in it are opened again, and the bars that were being ' +
        'built then are due: the next backfill or tick does them. Run verify afterwards.',
    )
    .requiredOption('--from <folder>', 'a backup, or a folder of backups: then the newest')
    .addHelpText(
      'after',
      '\nExit codes:\n' +
        '  0    restored\n' +
        '  2    CDVAULT_HOME is not empty\n' +
        '  11   the backup is not whole\n' +
        '  130  interrupted; run the same command again\n',
    )
    .action(async ({ from }: RestoreOptions) => {
      const { assertEmptyHome, copyIntoHome, endRestore, findBackup } =
        await import('../../adapters/backup/restore-home.ts');
      const config = loadConfig(OVERRIDES);
      const { homeDir } = config;
      const { folder, manifest } = await findBackup(from);
      assertEmptyHome(homeDir);
      say(`restoring ${folder} into ${homeDir}`);
      const progress = new CopyProgress();
      await listeningForSignals(async ({ signal }) => {
        // Those that an interrupted restore has started.
        await stopServices(servicesOptions(config, signal));
        await copyIntoHome(folder, homeDir, signal, progress.onFile);
      });
      progress.clear();
      finish(
        await withApp({ overrides: OVERRIDES, drains: true, isRestore: true }, async (session) => {
          const { app, signal } = session;
          const settled = await settleRestored(app, manifest.startedAtMs, signal);
          await endRestore(homeDir);
          print(
            `restored the state of ${isoMinute(manifest.startedAtMs)}: ` +
              `${counted(manifest.files, 'file')}, ${formatBytes(manifest.bytes)}`,
          );
          if (settled.hours + settled.days > 0)
            print(
              `written during the backup: ${counted(settled.hours, 'hour')} to fetch and ` +
                `${counted(settled.days, 'day')} of bars to build again`,
            );
          for (const line of lossLines(await app.ledger.overview(), manifest)) say(line);
          return EXIT.ok;
        }),
      );
    });
}

/** The backup has at least what its manifest lists, except for hours that were opened again. */
function lossLines(
  found: readonly (Series & { readonly proven: number })[],
  { series }: Pick<BackupManifest, 'series'>,
): string[] {
  const proven = new Map(found.map((one) => [seriesKey(one), one.proven]));
  return series.flatMap((one) => {
    const now = proven.get(seriesKey(one)) ?? 0;
    if (now >= one.provenHours) return [];
    return `${one.symbol}: ${now} of ${counted(one.provenHours, 'hour')} are proven; run cdvault backfill`;
  });
}
