const LONGEST = 160;

/**
 * The line of a command's output that tells of a fault, as one cell of a table. Of a line of the log:
 * its level, the code if there is one, and what was said.
 * @throws Error when nothing was said of it: a fault that nobody sees can't be found either
 */
export function lineOf(stderr: string, about: string): string {
  const line = stderr.split('\n').find((candidate) => candidate.includes(about));
  if (line === undefined) throw new Error(`no word of ${about} in:\n${stderr}`);
  const said = line.startsWith('{') ? ofLog(line) : line;
  // The query differs from run to run, and says nothing of the fault.
  return said
    .replace(/\?symbol=\S+(?=:)/, '')
    .replaceAll('|', '/')
    .slice(0, LONGEST);
}

const LEVELS: Readonly<Record<number, string>> = {
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
};

function ofLog(line: string): string {
  const { level, msg, code, error } = JSON.parse(line) as Record<string, unknown>;
  const parts = [code, typeof error === 'string' ? error : msg].filter(
    (part) => typeof part === 'string',
  );
  return `${LEVELS[Number(level)] ?? ''} ${parts.join(': ')}`;
}
