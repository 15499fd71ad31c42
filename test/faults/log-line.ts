const LONGEST = 160;

/**
 * The line of a command's output that contains `about`, as one cell of a table. A log line is reduced
 * to its level, its error code if it has one, and its message.
 * @throws Error when no line contains it: operators can't find a fault that is not reported
 */
export function lineOf(stderr: string, about: string): string {
  const line = stderr.split('\n').find((candidate) => candidate.includes(about));
  if (line === undefined) throw new Error(`no line contains "${about}":\n${stderr}`);
  const text = line.startsWith('{') ? ofLog(line) : line;
  // Without the query, which differs from run to run and has no bearing on the fault.
  return text
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
