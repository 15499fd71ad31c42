import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { GRAFANA } from './grafana-dashboard.ts';

export const ALERTS_FILE = path.join(GRAFANA, 'provisioning', 'alerting', 'cdvault.yml');

interface AlertQuery {
  readonly refId: string;
  readonly datasourceUid: string;
  readonly model: {
    readonly datasource: { readonly type: string; readonly uid: string };
    readonly rawSql?: string;
    readonly conditions?: readonly {
      readonly evaluator: { readonly type: string; readonly params: readonly number[] };
    }[];
  };
}

interface ProvisionedRule {
  readonly uid: string;
  readonly title: string;
  readonly condition: string;
  readonly data: readonly AlertQuery[];
  readonly annotations: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly noDataState: string;
  readonly execErrState: string;
}

export interface AlertRule extends ProvisionedRule {
  readonly query: { readonly datasource: AlertQuery['model']['datasource']; readonly sql: string };
  /** A row whose number is above it raises an alert. */
  readonly threshold: number;
}

export function alertRules(): AlertRule[] {
  const { groups } = parse(readFileSync(ALERTS_FILE, 'utf8')) as {
    groups: { rules: ProvisionedRule[] }[];
  };
  return groups.flatMap(({ rules }) => rules).map(completed);
}

function completed(rule: ProvisionedRule): AlertRule {
  const [query, condition] = rule.data;
  const evaluator = condition?.model.conditions?.[0]?.evaluator;
  const [threshold] = evaluator?.params ?? [];
  if (query?.model.rawSql === undefined || evaluator?.type !== 'gt' || threshold === undefined)
    throw new Error(`not a rule over SQL: ${rule.uid}`);
  const { datasource, rawSql: sql } = query.model;
  return { ...rule, query: { datasource, sql }, threshold };
}
