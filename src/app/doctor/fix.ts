import { CdvaultError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type {
  QueueCures,
  StoreCures,
  StoreFacts,
  StoreMachine,
  WalTable,
} from '../../ports/doctor.ts';
import { restoreTick } from '../jobs/keep-ticking.ts';
import type { Check } from './check.ts';
import { skipOne, whyNotResume } from './resume.ts';
import { countText, namesText } from './wording.ts';

/** What `--fix` did about one check. */
export interface Fix {
  readonly what: string;
  readonly state: 'done' | 'refused' | 'failed';
  readonly fact: string;
  readonly cure?: string;
}

export interface FixDeps {
  readonly facts: Pick<StoreFacts, 'walTables' | 'views'>;
  readonly store: StoreCures;
  readonly queue: QueueCures;
  /** undefined: QuestDB does not run as a process of this home. */
  readonly machine: StoreMachine | undefined;
  readonly tick: Parameters<typeof restoreTick>[0];
  readonly clock: Clock;
}

/** How long a resumed table may take to become current; it reads what was written meanwhile. */
const APPLY_MS = 60_000;
const LOOK_MS = 200;

/** The checks that have a safe cure, in the order in which they are cured: tables first, since the rest uses them. */
const CURES: Readonly<
  Record<string, (deps: FixDeps, signal: AbortSignal) => Promise<readonly Fix[]>>
> = {
  'QuestDB suspended': resumeAll,
  'QuestDB views': makeViews,
  'queue schedule': async ({ tick }) => {
    const isBack = await restoreTick(tick);
    const fact = isBack ? 'the hourly job is queued again' : 'the hourly job is queued already';
    return [{ what: 'schedule', state: 'done', fact }];
  },
  'queue failed': async ({ queue }) => {
    const forgotten = await queue.forgetFailed();
    return [
      { what: 'failed', state: 'done', fact: `${countText(forgotten, 'failed job')} forgotten` },
    ];
  },
};

/** Applies the safe cure of every check that has one. Nothing here deletes data. */
export async function fix(
  deps: FixDeps,
  checks: readonly Check[],
  signal: AbortSignal,
): Promise<readonly Fix[]> {
  const bad = new Set(
    checks
      .filter(({ state }) => state === 'warn' || state === 'fail')
      .map(({ group, name }) => `${group} ${name}`),
  );
  const fixes: Fix[] = [];
  for (const [name, cure] of Object.entries(CURES)) {
    if (!bad.has(name)) continue;
    signal.throwIfAborted();
    try {
      fixes.push(...(await cure(deps, signal)));
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof CdvaultError)) throw error;
      const what = name.slice(name.indexOf(' ') + 1);
      fixes.push({ what, state: 'failed', fact: error.message, cure: error.advice });
    }
  }
  return fixes;
}

async function makeViews({ facts, store }: FixDeps): Promise<readonly Fix[]> {
  const { missing, invalid } = await facts.views();
  const broken = [...missing, ...invalid.map(({ name }) => name)];
  const made = await store.makeViews(broken);
  const left = broken.filter((name) => !made.includes(name));
  const what = 'views';
  return [
    ...(made.length === 0
      ? []
      : [{ what, state: 'done' as const, fact: `made again: ${namesText(made, 5)}` }]),
    ...(left.length === 0
      ? []
      : [
          {
            what,
            state: 'refused' as const,
            fact: `not of the migrations: ${namesText(left, 5)}`,
            cure: 'cdvault migrate makes those of series; see whether the tables below them exist',
          },
        ]),
  ];
}

async function resumeAll(deps: FixDeps, signal: AbortSignal): Promise<readonly Fix[]> {
  const fixes: Fix[] = [];
  for (const table of await deps.facts.walTables())
    if (table.isSuspended) fixes.push(await resume(deps, table, signal));
  return fixes;
}

async function resume(deps: FixDeps, table: WalTable, signal: AbortSignal): Promise<Fix> {
  const { machine, store } = deps;
  const { name, nextTransaction } = table;
  const what = `suspended ${name}`;
  const segment = await store.nextSegment(name, nextTransaction);
  const not = whyNotResume({
    table,
    disk: await machine?.disk(),
    limits: await machine?.limits(),
    isNextThere: segment === undefined ? undefined : await machine?.has(segment),
  });
  if (not !== undefined) return { what, state: 'refused', fact: not.why, cure: not.cure };
  await store.resume(name);
  return applied(deps, name, signal);
}

/** Waits until everything that was written meanwhile is visible. */
async function applied({ facts, clock }: FixDeps, name: string, signal: AbortSignal): Promise<Fix> {
  const what = `suspended ${name}`;
  const endMs = clock.nowMs() + APPLY_MS;
  for (;;) {
    const table = (await facts.walTables()).find((one) => one.name === name);
    if (table === undefined || (!table.isSuspended && table.pending === 0))
      return { what, state: 'done', fact: 'resumed; everything written is visible' };
    if (table.isSuspended) {
      const why = table.errorMessage === '' ? table.errorTag : table.errorMessage;
      return {
        what,
        state: 'failed',
        fact: `suspended again at transaction ${table.nextTransaction}: ${why}`,
        cure: skipOne(name, table.nextTransaction),
      };
    }
    if (clock.nowMs() > endMs)
      return {
        what,
        state: 'failed',
        fact: `resumed; ${countText(table.pending, 'transaction')} not visible after ${APPLY_MS / 1000} s`,
        cure: 'Run cdvault doctor again: the number goes down while QuestDB applies them.',
      };
    await clock.sleep(LOOK_MS, signal);
  }
}
