import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asJson, dashboards } from '../grafana/dashboards.ts';
import { postgres, questdbPlugin } from '../grafana/data-source.ts';

export const DASHBOARDS = join(import.meta.dirname, '..', 'grafana', 'dashboards');

/**
 * Writes the dashboards.
 * @param folder for dashboards that use QuestDB's plugin; by default the project's own folder, for Grafana's
 *   built-in data source
 */
function main(folder: string | undefined): void {
  const target = folder ?? DASHBOARDS;
  mkdirSync(target, { recursive: true });
  const source = folder === undefined ? postgres : questdbPlugin;
  for (const [name, dashboard] of Object.entries(dashboards(source)))
    writeFileSync(join(target, name), asJson(dashboard));
  process.stdout.write(`${Object.keys(dashboards(source)).length} dashboards in ${target}\n`);
}

if (process.argv[1] === import.meta.filename) main(process.argv[2]);
