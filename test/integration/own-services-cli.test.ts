import { afterEach, beforeEach, expect, test } from 'vitest';
import { ensureServices, stopServices } from '../../src/adapters/services/ladder.ts';
import { startCli } from '../support/command-line.ts';
import { makeOwnServices, type OwnServices } from '../support/own-services.ts';

/** Commands that start Redis and QuestDB themselves. */

let own: OwnServices;

beforeEach(async () => {
  own = await makeOwnServices();
});

afterEach(async () => own.dispose());

function env(): Record<string, string> {
  const { PATH = '', HOME = '', JAVA_HOME } = own.options.childEnv;
  return {
    PATH,
    HOME,
    ...(JAVA_HOME === undefined ? {} : { JAVA_HOME }),
    CDVAULT_SERVICES: 'native',
    CDVAULT_HOME: own.options.homeDir,
  };
}

test.each(['up', 'env'])(
  '%s exits with 130 when it is interrupted while QuestDB starts',
  async (verb) => {
    const command = startCli([verb], {
      env: env(),
      onLine: (line) => {
        if (line.startsWith('starting QuestDB')) command.kill('SIGINT');
      },
    });
    const { exitCode, stdout, stderr } = await command.done;
    expect(stderr).toContain('error INTERRUPTED: interrupted');
    expect(stderr).not.toMatch(/^\s+at /m);
    expect({ exitCode, stdout }).toEqual({ exitCode: 130, stdout: '' });
    // The next command finds the services that were started.
    await ensureServices(own.options);
    expect(await stopServices(own.options)).toEqual({ stopped: ['Redis', 'QuestDB'] });
  },
);
