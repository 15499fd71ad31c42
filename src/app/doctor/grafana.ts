import type { GrafanaFacts } from '../../ports/doctor.ts';
import { fail, ok, type Verdict } from './check.ts';

export function grafanaAnswers({ version }: GrafanaFacts): Verdict {
  return ok(`version ${version}, its database answers`, { version });
}

const REFUSED = new Set([401, 403]);

export function dataSource({ dataSource: found }: GrafanaFacts): Verdict {
  if (found.isFound)
    return found.answers
      ? ok('cdvault: present, QuestDB answers it')
      : fail(
          `cdvault: QuestDB does not answer it: ${found.message}`,
          'Check address, user and password in provisioning/datasources/questdb.yml',
        );
  const { status } = found;
  if (REFUSED.has(status))
    return fail(
      `Grafana refuses to tell (HTTP ${status})`,
      'Give CDVAULT_GRAFANA_URL user:password, or set CDVAULT_GRAFANA_TOKEN (role Viewer)',
      { status },
    );
  return fail(
    `cdvault: not found (HTTP ${status})`,
    'Provision grafana/provisioning and restart Grafana: see docs/grafana.md',
    { status },
  );
}
