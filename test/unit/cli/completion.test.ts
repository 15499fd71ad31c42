import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createProgram } from '../../../src/cli/program.ts';

const MAIN = path.join(import.meta.dirname, '../../../src/cli/main.ts');
const { commands } = createProgram(() => undefined);

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cdvault-completion-'));
  writeFileSync(path.join(folder, 'completion.bash'), scriptOf('bash'));
  for (const name of ['a day.zip', 'a day.csv', 'b.zip'])
    writeFileSync(path.join(folder, name), '');
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function scriptOf(shell: string): string {
  return execFileSync(process.execPath, [MAIN, 'completion', shell], { encoding: 'utf8' });
}

/** What bash offers at a TAB after these words; it calls the function with these two variables. */
function offered(...words: readonly string[]): string[] {
  const program = `
    source ./completion.bash
    # It may only be called by bash itself at a TAB.
    compopt() { :; }
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    _cdvault
    [ \${#COMPREPLY[@]} -eq 0 ] || printf '%s\\n' "\${COMPREPLY[@]}"`;
  const env = { PATH: process.env['PATH'] };
  const args = ['--norc', '-u', '-c', program, 'bash', 'cdvault', ...words];
  const printed = execFileSync('bash', args, { cwd: folder, env, encoding: 'utf8' });
  return printed.split('\n').filter((line) => line !== '');
}

test('bash is told which function completes cdvault', () => {
  const program = 'source ./completion.bash; complete -p cdvault';
  const printed = execFileSync('bash', ['--norc', '-c', program], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect(printed).toBe('complete -F _cdvault cdvault\n');
});

test('bash completes every command', () => {
  const names = commands.map((command) => command.name());
  expect(names.length).toBeGreaterThan(15);
  expect(offered('')).toEqual([...names, '--version', '-V', '--help', '-h']);
  expect(offered('sche')).toEqual(['schedule']);
  expect(offered('no')).toEqual([]);
});

test.each(commands.map((command) => [command.name(), command] as const))(
  'bash completes every option of %s',
  (name, command) => {
    const options = command.options.map(({ long }) => long);
    expect(offered(name, '--')).toEqual([...options, '--help']);
    // Also after a symbol and another option with its value.
    expect(offered(name, '--help', 'BTCUSDT', '--')).toEqual([...options, '--help']);
  },
);

test.each([
  ['the values of an option', ['chart', 'BTCUSDT', '--open', ''], ['first', 'previous']],
  ['those that begin so', ['chart', '--interval', '1'], ['1m', '15m', '1h', '12h', '1d']],
  ['a value after =', ['chart', '--interval', '=', '15'], ['15m']],
  ['a value right after =', ['chart', '--open', '='], ['first', 'previous']],
  ['an argument', ['completion', 'z'], ['zsh']],
  ['nothing where only the user knows the value', ['show', 'BTCUSDT', '--from', ''], []],
  ['files as arguments', ['audit', 'a'], ['a day.csv', 'a day.zip']],
  ['files as values', ['verify', '--report', 'b'], ['b.zip']],
])('bash completes %s', (_, words, expected) => {
  expect(offered(...words).toSorted()).toEqual(expected.toSorted());
});

test.each(['zsh', 'fish'])('the script for %s has every command and option', (shell) => {
  const script = scriptOf(shell);
  for (const command of commands) {
    const name = command.name();
    const lines = script.split('\n').filter((line) => line.includes(name));
    for (const { long } of command.options) {
      const option = shell === 'zsh' ? `'${long ?? ''}[` : ` -l ${(long ?? '').slice(2)} `;
      expect(
        lines.some((line) => line.includes(option)),
        `${name} ${long ?? ''}`,
      ).toBe(true);
    }
  }
});
