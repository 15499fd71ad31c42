import type { Check, CheckState } from '../../app/doctor/check.ts';
import { GROUPS } from '../../app/doctor/check.ts';
import type { Fix } from '../../app/doctor/fix.ts';
import { counted } from './format.ts';

const WIDTH = 80;

const LABEL: Readonly<Record<CheckState, string>> = {
  ok: 'OK',
  warn: 'WARN',
  fail: 'FAIL',
  skipped: '-',
};

const LABEL_WIDTH = 4;

/** Below the names, so that a command fits into a line. */
const CURE = '        > ';

/** One line a check, below the name of its group; under WARN and FAIL the cure. */
export function doctorLines(checks: readonly Check[]): string[] {
  const nameWidth = Math.max(...checks.map(({ name }) => name.length));
  const lines = GROUPS.flatMap((group) => {
    const ofGroup = checks.filter((check) => check.group === group);
    if (ofGroup.length === 0) return [];
    return [group, ...ofGroup.flatMap((check) => checkLines(check, nameWidth))];
  });
  const count = (state: CheckState) => checks.filter((check) => check.state === state).length;
  const left = count('skipped') === 0 ? [] : [`${counted(count('skipped'), 'check')} skipped`];
  const total = `${count('ok')} ok, ${counted(count('warn'), 'warning')}, ${counted(count('fail'), 'failure')}`;
  return [...lines, '', ...left, total];
}

function checkLines({ name, state, fact, cure }: Check, nameWidth: number): string[] {
  const start = `  ${LABEL[state].padEnd(LABEL_WIDTH)}  ${name.padEnd(nameWidth)}  `;
  const lines = indented(start, fact);
  return cure === undefined ? lines : [...lines, ...indented(CURE, cure)];
}

export function fixLines(fixes: readonly Fix[]): string[] {
  if (fixes.length === 0) return ['nothing to fix that has a safe cure'];
  return fixes.flatMap(({ what, state, fact, cure }) => {
    const start = `${state === 'done' ? 'fixed' : 'not fixed'}: `;
    const lines = indented(start, `${what}: ${fact}`);
    return cure === undefined ? lines : [...lines, ...indented('  > ', cure)];
  });
}

/** Breaks between words; further lines begin below the first one's text. A word is never cut. */
function indented(start: string, text: string): string[] {
  const room = WIDTH - start.length;
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (longer.length > room && line !== '') {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  lines.push(line);
  return lines.map((each, index) => (index === 0 ? start : ' '.repeat(start.length)) + each);
}
