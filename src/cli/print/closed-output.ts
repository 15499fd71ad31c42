import { ERRORS } from '../../domain/error-catalogue.ts';
import { EXIT } from '../../domain/exit-codes.ts';

/**
 * Ends the process at once and silently when the reader of its output closes the pipe, as `head` does.
 * SIGPIPE would do the same, but Node.js ignores it. cdvault can be killed safely at any time.
 */
export function endWhenOutputCloses(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(EXIT.outputClosed);
      // A failure of standard error cannot be reported.
      if (stream === process.stdout)
        process.stderr.write(
          `error EXPORT_UNWRITABLE: standard output: ${error.message}\n  ${ERRORS.EXPORT_UNWRITABLE.advice}\n`,
        );
      process.exit(ERRORS.EXPORT_UNWRITABLE.exitCode);
    });
}
