import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERRORS } from '../src/domain/error-catalogue.ts';

export const ERROR_DOCS = join(import.meta.dirname, '..', 'docs', 'errors.md');

/** docs/errors.md as it must be: the one list of failures, for people. */
export function errorDocs(): string {
  const sections = Object.entries(ERRORS).map(
    ([code, { when, advice, exitCode, retryable }]) =>
      `## ${code}\n\n${when}\n\n` +
      `- What to do: ${advice}\n` +
      `- Exit code ${exitCode}; ${retryable ? 'may pass by itself, jobs are tried again' : 'never tried again'}.\n`,
  );
  return `${HEADER}\n${sections.join('\n')}`;
}

const HEADER = `# Errors

Every failure has a code that never changes, a sentence on what was tried, and advice. \`--json\` prints
the same fields. This file is written by \`scripts/write-error-docs.ts\` from \`src/domain/errors.ts\`; a
test keeps the two equal.
`;

if (process.argv[1] === import.meta.filename) writeFileSync(ERROR_DOCS, errorDocs());
