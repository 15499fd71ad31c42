import { Command, CommanderError } from 'commander';
import { classify } from '../domain/errors.ts';
import { EXIT, type ExitCode } from '../domain/exit-codes.ts';
import { registerAudit } from './commands/audit.ts';
import { registerBackfill } from './commands/backfill.ts';
import { registerExport } from './commands/export.ts';
import { registerFingerprint } from './commands/fingerprint.ts';
import { registerPlan } from './commands/plan.ts';
import { registerRepair } from './commands/repair.ts';
import { registerServe } from './commands/serve.ts';
import { registerServices } from './commands/services.ts';
import { registerShow } from './commands/show.ts';
import { registerStatus } from './commands/status.ts';
import { registerVerify } from './commands/verify.ts';
import { registerSchedule, registerWorker } from './commands/worker.ts';
import { VERSION } from '../version.ts';
import { endWhenOutputCloses } from './print/closed-output.ts';
import { report } from './session.ts';

function createProgram(finish: (exitCode: ExitCode) => void): Command {
  const program = new Command('cdvault')
    .description(
      'CDV (cumulative delta volume; elsewhere CVD) bars from Binance trades, in\n' +
        'QuestDB: every trade accounted for by its id, every sum exact.',
    )
    .version(VERSION)
    .showHelpAfterError('(--help explains)')
    .exitOverride()
    .addHelpText(
      'after',
      '\nStart with:\n  cdvault backfill BTCUSDT --from 2024-01-01 --to 2024-01-02\n  cdvault show BTCUSDT --from 2024-01-01 --interval 1h\n' +
        '\nSettings are environment variables: see docs/configuration.md. Times are UTC.',
    );
  for (const register of [
    registerBackfill,
    registerPlan,
    registerShow,
    registerStatus,
    registerVerify,
    registerRepair,
    registerAudit,
    registerFingerprint,
    registerExport,
    registerWorker,
    registerSchedule,
    registerServe,
    registerServices,
  ]) {
    register(program, finish);
  }
  return program;
}

async function main(args: readonly string[]): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok;
  const program = createProgram((code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    // Commander has printed its own message; --help and --version end this way too.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    return report(classify(error), args.includes('--json'));
  }
}

endWhenOutputCloses();
process.exitCode = await main(process.argv.slice(2));
