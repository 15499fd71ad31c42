import type { CliProcess } from './command-line.ts';
import { eventually, type Rig } from '../e2e/rig.ts';

/** A running `cdvault serve`. */
export interface Served {
  readonly url: string;
  /** The password that was printed, or the configured one. */
  readonly password: string;
  /** The login link that was printed; undefined with a configured password. */
  readonly link: string | undefined;
  readonly command: CliProcess;
  /** Requests a path with the password. */
  readonly ask: (path: string, init?: RequestInit) => Promise<Response>;
}

export function authorization(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

export async function startServe(
  rig: Rig,
  args: readonly string[] = [],
  more: Readonly<Record<string, string>> = {},
): Promise<Served> {
  const lines: string[] = [];
  const command = rig.startCli(
    ['serve', '--port', '0', ...args],
    (line) => void lines.push(line),
    more,
  );
  const found = (pattern: RegExp) => pattern.exec(lines.join('\n'))?.[1];
  const link = () => found(/serve: (http:\S+\/login\/\S+)/);
  const given = more['CDVAULT_SERVE_PASSWORD'];
  await eventually(
    'serve prints its URL',
    () => found(/serve: (http:\S+)\/ /) !== undefined && (given ?? link()) !== undefined,
  );
  const url = found(/serve: (http:\S+)\/ /) ?? '';
  const password = given ?? found(/serve: password (\S+)/) ?? '';
  const Authorization = authorization('cdvault', password);
  return {
    url,
    password,
    link: link(),
    command,
    ask: async (path, init = {}) =>
      fetch(url + path, {
        redirect: 'manual',
        ...init,
        headers: { Authorization, ...(init.headers as Record<string, string> | undefined) },
      }),
  };
}

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A parsed page in Prometheus’ text format. */
export interface MetricsPage {
  readonly samples: readonly Sample[];
  readonly helps: ReadonlyMap<string, string>;
  readonly types: ReadonlyMap<string, string>;
}

export function parseMetrics(text: string): MetricsPage {
  const samples: Sample[] = [];
  const helps = new Map<string, string>();
  const types = new Map<string, string>();
  for (const line of text.split('\n').filter((text) => text !== '')) {
    const [, kind, metric = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (kind !== undefined) {
      (kind === 'HELP' ? helps : types).set(metric, rest);
      continue;
    }
    const [, name = '', labels = '', value = ''] =
      /^(\w+)(?:\{(.*)\})? (-?[\d.e+-]+|nan|[+-]inf)$/i.exec(line) ?? [];
    if (name === '') throw new Error(`not a line of a metrics page: ${line}`);
    const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)];
    samples.push({
      name,
      labels: Object.fromEntries(pairs.map(([, label = '', text = '']) => [label, text])),
      value: Number(value),
    });
  }
  return { samples, helps, types };
}

export async function metricsOf({ ask }: Served): Promise<MetricsPage> {
  const response = await ask('/metrics');
  if (response.status !== 200) throw new Error(`/metrics answered ${response.status}`);
  return parseMetrics(await response.text());
}

/** The only value with these labels; undefined when there is none. @throws Error when there are several */
export function valueOf(
  { samples }: MetricsPage,
  name: string,
  labels: Readonly<Record<string, string>>,
): number | undefined {
  const found = samples.filter(
    (sample) =>
      sample.name === name &&
      Object.entries(labels).every(([label, text]) => sample.labels[label] === text),
  );
  if (found.length > 1) throw new Error(`${name} occurs ${found.length} times`);
  return found[0]?.value;
}
