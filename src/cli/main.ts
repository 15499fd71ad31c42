import { CommanderError } from 'commander';
import { classify } from '../domain/errors.ts';
import { EXIT, type ExitCode } from '../domain/exit-codes.ts';
import { endWhenOutputCloses } from './print/closed-output.ts';
import { createProgram } from './program.ts';
import { report } from './session.ts';

async function main(args: readonly string[]): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok;
  const program = createProgram((code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    // Commander has already printed its message; --help and --version also end up here.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    return report(classify(error), args.includes('--json'));
  }
}

endWhenOutputCloses();
process.exitCode = await main(process.argv.slice(2));
