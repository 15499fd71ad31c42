import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asJson, dashboards } from '../grafana/dashboards.ts';
import { postgres, questdbPlugin } from '../grafana/data-source.ts';

export const DASHBOARDS = join(import.meta.dirname, '..', 'grafana', 'dashboards');

/** Without a folder: the project's own, for the built-in data source. With one: for QuestDB's plugin. */
function main(folder: string | undefined): void {
  const target = folder ?? DASHBOARDS;
  mkdirSync(target, { recursive: true });
  const source = folder === undefined ? postgres : questdbPlugin;
  for (const [name, dashboard] of Object.entries(dashboards(source)))
    writeFileSync(join(target, name), asJson(dashboard));
  process.stdout.write(`${Object.keys(dashboards(source)).length} dashboards in ${target}\n`);
}

if (process.argv[1] === import.meta.filename) main(process.argv[2]);
