import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';

const LOG = path.resolve(import.meta.dirname, '../../../src/adapters/system/log.ts');

test('an error is logged with its message, its code and its cause', () => {
  const program = `
    const { createLog } = await import(${JSON.stringify(pathToFileURL(LOG).href)});
    const error = Object.assign(new Error('Redis did not answer', { cause: new Error('refused') }), { code: 'X' });
    createLog('warn').warn({ error }, 'trying again');`;
  const { stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
  });
  expect(JSON.parse(stderr)).toMatchObject({
    msg: 'trying again',
    error: { message: 'Redis did not answer', code: 'X', cause: { message: 'refused' } },
  });
});
