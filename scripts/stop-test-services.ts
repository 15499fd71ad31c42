import path from 'node:path';
import { loadConfig } from '../src/config.ts';
import { stopServices } from '../src/adapters/services/ladder.ts';

await stopServices({
  ...loadConfig().services,
  homeDir: path.resolve(import.meta.dirname, '..', '.cdvault', 'test'),
  say: (line) => process.stderr.write(`${line}\n`),
  signal: new AbortController().signal,
});
