import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { METRICS, renderMetrics } from '../../src/adapters/http/metrics.ts';
import { CdvaultError } from '../../src/domain/errors.ts';
import { parseMetrics } from '../support/served.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/serve.md'), 'utf8');

test('docs/serve.md has every metric, with its labels and its help, and no other', () => {
  const listed = [...page.matchAll(/^\| `(cdvault_\w+)` \| (.+) \| (.+) \|$/gm)].map(
    ([, name, labels = '', help]) => ({
      name,
      labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label),
      help,
    }),
  );
  expect(listed).toEqual(Object.values(METRICS));
});

test('when nothing is known, the metrics say only that', async () => {
  const error = new CdvaultError('STORE_UNREACHABLE', 'away');
  const unknown = { known: false, error } as const;
  const { samples } = parseMetrics(
    await renderMetrics(
      {
        redis: unknown,
        store: unknown,
        queues: unknown,
        coverage: unknown,
        openGaps: unknown,
        exchange: unknown,
        lags: unknown,
      },
      '1.2.3',
    ),
  );
  expect(samples.map(({ name, value }) => `${name} ${value}`)).toEqual([
    'cdvault_build_info 1',
    'cdvault_up 0',
    'cdvault_up 0',
    ...Array.from({ length: 6 }, () => 'cdvault_scrape_collector_success 0'),
  ]);
});
