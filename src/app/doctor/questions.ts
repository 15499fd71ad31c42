import { type Market, marketName } from '../../domain/market.ts';
import type { Clock } from '../../ports/clock.ts';
import type {
  ExchangeFacts,
  GrafanaFacts,
  QueueFacts,
  RedisFacts,
  StoreFacts,
  StoredSeries,
  StoreMachine,
} from '../../ports/doctor.ts';
import { type CheckGroup, ok, skipped, type Verdict } from './check.ts';
import { access, clock as clockCheck, egressNames, isQuiet, weight } from './exchange.ts';
import { dataSource, grafanaAnswers } from './grafana.ts';
import { disk, memoryMaps, openFiles } from './machine.ts';
import { nodeVersion } from './node.ts';
import { failedJobs, schedule, stalledJobs, workers } from './queue.ts';
import { appendOnly, latency, memory, policy, redisVersion } from './redis.ts';
import { commitMode, copyRoot, parquetSettings, serverVersion } from './server.ts';
import { migrations, seriesViews } from './store.ts';
import { lag, schema, suspended, views } from './tables.ts';

export interface Probes {
  readonly nodeVersion: string;
  readonly redis: {
    readonly place: string;
    /** @throws CdvaultError REDIS_UNREACHABLE, REDIS_REFUSED */
    answers(): Promise<void>;
    facts(): Promise<RedisFacts>;
  };
  readonly store: StoreFacts & {
    readonly place: string;
    /** @throws CdvaultError STORE_UNREACHABLE, STORE_REFUSED */
    answers(): Promise<void>;
  };
  /** undefined: QuestDB does not run as a process of this home. */
  readonly machine: StoreMachine | undefined;
  readonly queue: QueueFacts;
  readonly exchange: ExchangeFacts;
  /** undefined: no Grafana is given. */
  readonly grafana: ((signal: AbortSignal) => Promise<GrafanaFacts>) | undefined;
  readonly clock: Clock;
}

type Service = 'Redis' | 'QuestDB' | 'Grafana';

export interface Question {
  readonly group: CheckGroup;
  readonly name: string;
  /** Services that must answer first. */
  readonly needs: readonly Service[];
  readonly ask: (signal: AbortSignal) => Verdict | Promise<Verdict>;
}

/** Several checks share one question. */
export function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | undefined;
  return () => (asked ??= ask());
}

export function serviceQuestions({
  nodeVersion: version,
  redis,
  store,
  grafana,
}: Probes): Question[] {
  return [
    { group: 'Node', name: 'version', needs: [], ask: () => nodeVersion(version) },
    {
      group: 'Redis',
      name: 'answers',
      needs: [],
      ask: async () => {
        await redis.answers();
        return ok(redis.place);
      },
    },
    {
      group: 'QuestDB',
      name: 'answers',
      needs: [],
      ask: async () => {
        await store.answers();
        return ok(store.place);
      },
    },
    ...(grafana === undefined
      ? []
      : [
          {
            group: 'Grafana' as const,
            name: 'answers',
            needs: [],
            ask: async (signal: AbortSignal) => grafanaAnswers(await grafana(signal)),
          },
        ]),
  ];
}

export function redisQuestions({ redis }: Probes): Question[] {
  const facts = once(() => redis.facts());
  const judged = (name: string, judge: (facts: RedisFacts) => Verdict): Question => ({
    group: 'Redis',
    name,
    needs: ['Redis'],
    ask: async () => judge(await facts()),
  });
  return [
    judged('version', redisVersion),
    judged('latency', latency),
    judged('policy', policy),
    judged('append-only', appendOnly),
    judged('memory', memory),
  ];
}

export function storeQuestions(
  { store, machine, clock }: Probes,
  series: () => Promise<readonly StoredSeries[]>,
): Question[] {
  const server = once(() => store.server());
  const walTables = once(() => store.walTables());
  const limits = once(async () => machine?.limits());
  const count = async () => (await series()).length;
  const of = (group: CheckGroup, name: string, ask: Question['ask']): Question => ({
    group,
    name,
    needs: ['QuestDB'],
    ask,
  });
  return [
    of('QuestDB', 'version', async () => serverVersion(await server())),
    of('QuestDB', 'commit mode', async () => commitMode(await server())),
    of('QuestDB', 'COPY TO', async () => copyRoot(await server())),
    of('QuestDB', 'Parquet', async () => parquetSettings(await server(), await store.parquet())),
    of('QuestDB', 'suspended', async () => suspended(await walTables())),
    of('QuestDB', 'WAL lag', async () => lag(await walTables())),
    of('QuestDB', 'views', async () => views(await store.views())),
    of('QuestDB', 'tables', async () => schema(await store.tables())),
    of('QuestDB', 'disk', async () =>
      disk(await machine?.disk(), await store.growth(clock.nowMs())),
    ),
    of('QuestDB', 'open files', async () => openFiles(await limits(), await count())),
    of('QuestDB', 'memory maps', async () => memoryMaps(await limits(), await count())),
    of('store', 'migrations', async () => migrations(await store.migrations())),
    of('store', 'series', async () => seriesViews(await store.dueOfSeries())),
  ];
}

export function queueQuestions(
  { queue, store }: Probes,
  series: () => Promise<readonly StoredSeries[]>,
): Question[] {
  const counts = once(() => queue.counts());
  const connected = once(() => queue.workers());
  const of = (name: string, needs: readonly Service[], ask: Question['ask']): Question => ({
    group: 'queue',
    name,
    needs,
    ask,
  });
  return [
    of('failed', ['Redis'], async () => failedJobs(await counts(), await queue.newestFailure())),
    of('stalled', ['Redis'], async () => stalledJobs(await queue.stalled(), await connected())),
    of('schedule', ['Redis', 'QuestDB'], async () =>
      schedule({
        series: await series(),
        rules: await store.rules(),
        hasTick: await queue.hasTick(),
      }),
    ),
    of('workers', ['Redis', 'QuestDB'], async () =>
      workers(await counts(), await connected(), await series()),
    ),
  ];
}

/** A ban is known from the store alone; other pauses are in Redis. */
export function exchangeQuestions(
  { exchange, queue, clock }: Probes,
  series: () => Promise<readonly StoredSeries[]>,
  { markets, hasRedis }: { readonly markets: readonly Market[]; readonly hasRedis: boolean },
): Question[] {
  if (markets.length === 0) {
    const ask = async () => {
      await series();
      return skipped('no series is stored, so no market is asked');
    };
    return [{ group: 'exchange', name: 'markets', needs: ['QuestDB'], ask }];
  }
  const workers = once(() => queue.registered());
  const names: Question = {
    group: 'exchange',
    name: 'addresses',
    needs: ['Redis'],
    ask: async () => egressNames(await workers()),
  };
  const atOthers = async (market: Market) => {
    const others = new Set((await workers()).map(({ egress }) => egress));
    others.delete(exchange.egress);
    return Promise.all(
      [...others].map(async (egress) => ({ egress, ...(await exchange.state(market, egress)) })),
    );
  };
  const ofMarkets = markets.flatMap((market): Question[] => {
    const name = marketName(market);
    const state = once(() => exchange.state(market));
    const allowed = once(async () =>
      access(
        hasRedis ? (await state()).pause : undefined,
        await exchange.bannedUntilMs(market),
        clock.nowMs(),
      ),
    );
    const of = (what: string, ask: Question['ask']): Question => ({
      group: 'exchange',
      name: `${name} ${what}`,
      needs: ['Redis', 'QuestDB'],
      ask,
    });
    return [
      { ...of('access', allowed), needs: ['QuestDB'] },
      of('weight', async () => weight(await state(), await atOthers(market))),
      of('clock', async (signal) =>
        isQuiet(await allowed())
          ? skipped('skipped: nothing is sent during a ban or a pause')
          : clockCheck(await exchange.clock(market, signal)),
      ),
    ];
  });
  return [...ofMarkets, names];
}

export function grafanaQuestions({ grafana }: Probes): Question[] {
  if (grafana === undefined) return [];
  return [
    {
      group: 'Grafana',
      name: 'data source',
      needs: ['Grafana'],
      ask: async (signal) => dataSource(await grafana(signal)),
    },
  ];
}
