import { ERRORS } from '../../domain/error-catalogue.ts';
import { EXIT } from '../../domain/exit-codes.ts';

/**
 * Who reads may have enough, as `head` has: the process then ends at once and without a word, as by
 * SIGPIPE, which Node.js ignores. A kill does no harm at any time; so does this.
 */
export function endWhenOutputCloses(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(EXIT.outputClosed);
      // Of standard error nobody can be told.
      if (stream === process.stdout)
        process.stderr.write(
          `error EXPORT_UNWRITABLE: standard output: ${error.message}\n  ${ERRORS.EXPORT_UNWRITABLE.advice}\n`,
        );
      process.exit(ERRORS.EXPORT_UNWRITABLE.exitCode);
    });
}
