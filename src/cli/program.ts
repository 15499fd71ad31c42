import { Command } from 'commander';
import type { ExitCode } from '../domain/exit-codes.ts';
import { VERSION } from '../version.ts';
import { registerAudit } from './commands/audit.ts';
import { registerBackfill } from './commands/backfill.ts';
import { registerBackup } from './commands/backup.ts';
import { registerChart } from './commands/chart.ts';
import { registerCompact } from './commands/compact.ts';
import { registerCompletion } from './commands/completion.ts';
import { registerDoctor } from './commands/doctor.ts';
import { registerExport } from './commands/export.ts';
import { registerFingerprint } from './commands/fingerprint.ts';
import { registerForget } from './commands/forget.ts';
import { registerPlan } from './commands/plan.ts';
import { registerPrune } from './commands/prune.ts';
import { registerRepair } from './commands/repair.ts';
import { registerRestore } from './commands/restore.ts';
import { registerServe } from './commands/serve.ts';
import { registerServices } from './commands/services.ts';
import { registerShow } from './commands/show.ts';
import { registerStatus } from './commands/status.ts';
import { registerVerify } from './commands/verify.ts';
import { registerSchedule } from './commands/schedule.ts';
import { registerWorker } from './commands/worker.ts';

/**
 * The command line with all its commands.
 * @param finish is called with the exit code of the command that has run
 */
export function createProgram(finish: (exitCode: ExitCode) => void): Command {
  const program = new Command('cdvault')
    .description(
      'Builds CDV bars (cumulative delta volume, also called CVD) from Binance aggregate trades in ' +
        'QuestDB. Every trade is accounted for by its id, and every sum is exact.',
    )
    .version(VERSION)
    .showHelpAfterError('(run with --help for usage)')
    .exitOverride()
    .addHelpText(
      'after',
      '\nGet started:\n  cdvault backfill BTCUSDT --from 2024-01-01 --to 2024-01-02\n  cdvault show BTCUSDT --from 2024-01-01 --interval 1h\n' +
        '\nSettings are environment variables: see docs/configuration.md.\nAll times are UTC.',
    );
  for (const register of [
    registerBackfill,
    registerPlan,
    registerShow,
    registerChart,
    registerStatus,
    registerDoctor,
    registerVerify,
    registerRepair,
    registerAudit,
    registerFingerprint,
    registerExport,
    registerCompact,
    registerPrune,
    registerForget,
    registerBackup,
    registerRestore,
    registerWorker,
    registerSchedule,
    registerServe,
    registerServices,
    registerCompletion,
  ]) {
    register(program, finish);
  }
  return program;
}
