import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { exportLines, serviceVariables } from '../../../src/cli/service-variables.ts';

const URLS = {
  how: 'environment',
  redisUrl: 'redis://:it\'s $HOME `id` \\ "q"@127.0.0.1:6379',
  questdbHttpUrl: 'http://user:a b@127.0.0.1:9000',
  questdbPgUrl: 'postgresql://user:p&w;x@127.0.0.1:8812/qdb',
  questdbReadonlyPgUrl: 'postgresql://reader:#!*@127.0.0.1:8812/qdb',
} as const;

test('a program started from a shell that evaluated the lines has every URL, whatever characters it contains', () => {
  const wanted = serviceVariables(URLS);
  const names = Object.keys(wanted);
  const program = `process.stdout.write(JSON.stringify(${JSON.stringify(names)}.map((name) => process.env[name])))`;
  const script = `eval "$LINES_OF_ENV"; exec "$NODE" -e '${program}'`;
  const printed = execFileSync('sh', ['-c', script], {
    env: { NODE: process.execPath, LINES_OF_ENV: exportLines(wanted).join('\n') },
    encoding: 'utf8',
  });
  expect(JSON.parse(printed)).toEqual(Object.values(wanted));
});

test('an unknown URL is an error, not an empty variable', () => {
  expect(() => serviceVariables({ ...URLS, questdbReadonlyPgUrl: '' })).toThrow(
    'QUESTDB_READONLY_PG_URL is not known',
  );
});
