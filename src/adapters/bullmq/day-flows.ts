import type { FlowProducer, JobState, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Market, Series } from '../../domain/market.ts';
import type { DayWork } from '../../domain/plan/plan.ts';
import type { JobKind } from '../../ports/job-queue.ts';
import { redisCall } from '../redis/redis-call.ts';
import { type JobPriority, PRIORITY } from './catalogue.ts';
import { forgetFailed } from './forget-failed.ts';
import { archiveId, barsId, sliceId } from './job-ids.ts';
import { type FlowDays, flowsOf, stretchFlow } from './stretch-flow.ts';
import type { Turns } from './turns.ts';

/** A flow has at most 25 jobs, and 1,000 jobs in one MULTI block Redis for about 0.1 s only. */
const FLOWS_A_CALL = 40;

/** 1,000 jobs take 0.1 s; the rest is for a busy Redis, which earlier calls have shown to be reachable. */
const BULK_ANSWER_MS = 20_000;

interface DayFlowsDeps {
  readonly redis: Redis;
  readonly flows: FlowProducer;
  readonly turns: Turns;
  readonly queue: (kind: JobKind, market: Market) => Queue;
  readonly barsStates: (ids: readonly string[]) => Promise<readonly (JobState | 'unknown')[]>;
}

interface ForWhom {
  readonly runId: string;
  readonly series: Series;
  readonly priority: JobPriority;
}

/** Enqueues days, each with its turn among the days of all runs. */
export class DayFlows {
  readonly #deps: DayFlowsDeps;

  constructor(deps: DayFlowsDeps) {
    this.#deps = deps;
  }

  async add(whose: ForWhom, days: readonly DayWork[]): Promise<void> {
    const flows = flowsOf(days);
    for (let start = 0; start < flows.length; start += FLOWS_A_CALL)
      await this.#addChunk(whose, flows.slice(start, start + FLOWS_A_CALL));
  }

  async #addChunk(whose: ForWhom, chunk: readonly FlowDays[]): Promise<void> {
    const { runId, series } = whose;
    // If its parent exists, a flow adds nothing at best, and at worst children that no parent waits for.
    const states = await this.#deps.barsStates(
      chunk.map(({ name }) => barsId(runId, series, name)),
    );
    const fresh = chunk.filter((_, index) => states[index] === 'unknown');
    if (fresh.length === 0) return;
    await this.#forgetFailed(runId, series, fresh);
    const priorities = await this.#priorities(whose, fresh);
    const jobs = fresh.map((flow) =>
      stretchFlow(runId, series, flow, priorities.get(flow) ?? PRIORITY.backfill),
    );
    await redisCall('accept a batch of jobs', () => this.#deps.flows.addBulk(jobs), {
      answerMs: BULK_ANSWER_MS,
    });
  }

  async #forgetFailed(runId: string, series: Series, flows: readonly FlowDays[]): Promise<void> {
    const { redis, queue } = this.#deps;
    const slices = flows
      .flatMap(({ days }) => days.filter(({ fromArchive }) => fromArchive === undefined))
      .flatMap(({ hours }) => hours.map((hourMs) => sliceId(runId, series, hourMs)));
    const archives = flows.map(({ name }) => archiveId(runId, series, name));
    await forgetFailed(redis, queue('slice', series.market), slices);
    await forgetFailed(redis, queue('archive', series.market), archives);
  }

  async #priorities(
    { runId, series, priority }: ForWhom,
    flows: readonly FlowDays[],
  ): Promise<ReadonlyMap<FlowDays, number>> {
    if (priority === 'live') return new Map(flows.map((flow) => [flow, PRIORITY.live]));
    const { queue, turns } = this.#deps;
    const found = new Map<FlowDays, number>();
    for (const [kind, ofKind] of Map.groupBy(flows, childKind)) {
      const taken = await turns.take(queue(kind, series.market), runId, series, ofKind.length);
      for (const [index, flow] of ofKind.entries())
        found.set(flow, taken[index] ?? PRIORITY.backfill);
    }
    return found;
  }
}

function childKind({ days }: FlowDays): 'archive' | 'slice' {
  return days[0]?.fromArchive === undefined ? 'slice' : 'archive';
}
