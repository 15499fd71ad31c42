import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERRORS } from '../src/domain/error-catalogue.ts';

export const ERROR_DOCS = join(import.meta.dirname, '..', 'docs', 'errors.md');

/** The text of docs/errors.md: one section for each error code. */
export function errorDocs(): string {
  const sections = Object.entries(ERRORS).map(
    ([code, { when, advice, exitCode, retryable }]) =>
      `## ${code}\n\n${when}\n\n` +
      `- What to do: ${advice}\n` +
      `- Exit code: ${exitCode}\n` +
      `- Retried: ${retryable ? 'yes' : 'no'}\n`,
  );
  return `${HEADER}\n${sections.join('\n')}`;
}

const HEADER = `# Errors

A command that fails prints an error code, a message and advice on standard error:

\`\`\`
error BAD_RANGE: --from 2024-01-02T00:00Z is not before --to 2024-01-01T00:00Z
  Set --from to a time before --to, both in the past.
\`\`\`

With \`--json\` it prints the fields \`type\`, \`code\`, \`message\`, \`advice\`, \`retryable\` and \`exitCode\`
as one JSON object on standard output. Codes never change; messages and advice may.

An unknown command, an unknown option or a missing argument has no code: it is reported in plain text,
also with \`--json\`, with exit code 2.

"Retried" says whether a job that fails with this error is tried again. A job that failed for good is
listed in the summary of \`backfill\` and \`repair\`.

This page is generated: edit \`src/domain/error-catalogue.ts\`, then run
\`scripts/with-node.sh node scripts/write-error-docs.ts\`. A test compares the two.
`;

if (process.argv[1] === import.meta.filename) writeFileSync(ERROR_DOCS, errorDocs());
