import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const packageFile = join(import.meta.dirname, '../package.json');

/** This release, as package.json says; stored with every ledger row. */
export const VERSION = (JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string })
  .version;
