import path from 'node:path';
import { stopServices } from '../src/adapters/services/ladder.ts';

await stopServices({
  env: process.env,
  homeDir: path.resolve(import.meta.dirname, '..', '.cdvault', 'test'),
  say: (line) => process.stderr.write(`${line}\n`),
  signal: new AbortController().signal,
});
