import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ensureServices, stopServices } from '../../src/adapters/services/ladder.ts';
import type { ServicesOptions, ServiceUrls } from '../../src/adapters/services/types.ts';

/** A native set of services for one test that breaks, fills or restarts them. */
export interface OwnServices {
  readonly options: ServicesOptions;
  /** Everything that was said, for assertions. */
  readonly said: readonly string[];
  readonly start: () => Promise<ServiceUrls>;
  /** Stops them and deletes their data. */
  readonly dispose: () => Promise<void>;
}

export async function makeOwnServices(): Promise<OwnServices> {
  const homeDir = await mkdtemp(path.join(tmpdir(), 'cdvault-home-'));
  const said: string[] = [];
  const options: ServicesOptions = {
    env: { ...process.env, CDVAULT_SERVICES: 'native' },
    homeDir,
    say: (line) => said.push(line),
  };
  return {
    options,
    said,
    start: async () => ensureServices(options),
    dispose: async () => {
      await stopServices(options);
      await rm(homeDir, { recursive: true, force: true });
    },
  };
}
