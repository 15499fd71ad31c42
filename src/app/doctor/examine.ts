import { CdvaultError } from '../../domain/errors.ts';
import type { ErrorCode } from '../../domain/error-catalogue.ts';
import type { Market } from '../../domain/market.ts';
import type { StoredSeries } from '../../ports/doctor.ts';
import { type Check, type CheckGroup, failure, GROUPS, skipped } from './check.ts';
import {
  exchangeQuestions,
  grafanaQuestions,
  once,
  type Probes,
  type Question,
  queueQuestions,
  redisQuestions,
  serviceQuestions,
  storeQuestions,
} from './questions.ts';

/** Waits at most so long for work that takes no signal. */
export type Within = <T>(
  work: Promise<T>,
  limits: { readonly ms: number; readonly signal: AbortSignal; readonly late: () => Error },
) => Promise<T>;

export type TimedProbes = Probes & { readonly within: Within };

/** No check takes longer, whatever hangs; the clients of the services have shorter deadlines of their own. */
const LIMIT_MS = 15_000;

const LATE: Readonly<Record<CheckGroup, ErrorCode>> = {
  Node: 'INTERNAL',
  Redis: 'REDIS_UNREACHABLE',
  QuestDB: 'STORE_UNREACHABLE',
  store: 'STORE_UNREACHABLE',
  queue: 'REDIS_UNREACHABLE',
  exchange: 'EXCHANGE_UNREACHABLE',
  Grafana: 'GRAFANA_UNREACHABLE',
};

/** Asks everything at once that can be asked; what needs a service that is away is skipped. */
export async function examine(probes: TimedProbes, signal: AbortSignal): Promise<readonly Check[]> {
  const answers = await Promise.all(
    serviceQuestions(probes).map((question) => answer(probes, question, signal)),
  );
  const away = answers.filter(({ state }) => state === 'fail').map(({ group }) => group);
  const isAway = ({ needs }: Question) => needs.some((service) => away.includes(service));
  const series = once(() => probes.store.series());
  const markets = away.includes('QuestDB') ? [] : await marketsOf(series);
  const questions = [
    ...redisQuestions(probes),
    ...storeQuestions(probes, series),
    ...queueQuestions(probes, series),
    ...exchangeQuestions(probes, series, { markets, hasRedis: !away.includes('Redis') }),
    ...grafanaQuestions(probes),
  ];
  const checks = await Promise.all(
    questions.map(async (question) =>
      isAway(question) ? without(question, away) : answer(probes, question, signal),
    ),
  );
  const all = [...answers, ...checks];
  return GROUPS.flatMap((group) => all.filter((check) => check.group === group));
}

async function marketsOf(
  series: () => Promise<readonly StoredSeries[]>,
): Promise<readonly Market[]> {
  // If the table cannot be read, the check of the markets says why.
  const known = await series().catch(() => []);
  return [...new Set(known.map(({ market }) => market))];
}

function without({ group, name, needs }: Question, away: readonly CheckGroup[]): Check {
  const missing = needs.filter((service) => away.includes(service));
  return {
    group,
    name,
    ...skipped(
      `skipped: ${missing.join(' and ')} ${missing.length === 1 ? 'does' : 'do'} not answer`,
    ),
  };
}

async function answer(
  { within }: TimedProbes,
  { group, name, ask }: Question,
  signal: AbortSignal,
): Promise<Check> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]);
  const late = () => new CdvaultError(LATE[group], `no answer in ${LIMIT_MS / 1000} s`);
  const asked = async () => ask(limit);
  try {
    return { group, name, ...(await within(asked(), { ms: LIMIT_MS, signal, late })) };
  } catch (error) {
    signal.throwIfAborted();
    return { group, name, ...failure(limit.aborted ? late() : error) };
  }
}
