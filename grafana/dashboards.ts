import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { coverage } from './coverage.ts';
import type { SqlSource } from './data-source.ts';
import { orderFlow } from './order-flow.ts';
import { pipeline } from './pipeline.ts';

/** Dashboards by the name of their file. */
export function dashboards(source: SqlSource): Readonly<Record<string, Dashboard>> {
  return {
    'order-flow.json': orderFlow(source),
    'coverage.json': coverage(source),
    'pipeline.json': pipeline(source),
  };
}

export function asJson(dashboard: Dashboard): string {
  return `${JSON.stringify(dashboard, undefined, 2)}\n`;
}
