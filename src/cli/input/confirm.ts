import { createInterface } from 'node:readline/promises';
import { CdvaultError } from '../../domain/errors.ts';

/**
 * Asks on the terminal before something is lost.
 * @throws CdvaultError USAGE when it is not confirmed, or there is no terminal to ask on
 */
export async function confirm(
  question: string,
  { yes = false }: { readonly yes?: boolean | undefined },
  signal: AbortSignal,
): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new CdvaultError('USAGE', 'there is no terminal to ask for a confirmation on', {
      advice: 'Run the command again with --yes.',
    });
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${question} Type yes to go on: `, { signal });
    if (answer.trim().toLowerCase() === 'yes') return;
  } finally {
    terminal.close();
  }
  throw new CdvaultError('USAGE', 'not confirmed: nothing was changed');
}
