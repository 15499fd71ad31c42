import type { ScheduleRule } from '../domain/plan/schedule-rule.ts';
import type { Market, Series } from '../domain/market.ts';
import type { JobQueue } from './job-queue.ts';
import type { GovernorState } from './weight-governor.ts';
import type { RegisteredWorker } from './worker-register.ts';

/** What `doctor` reads. Nothing here starts, changes or waits for anything, except in `StoreCures` and `QueueCures`. */

export interface RedisFacts {
  /** The shortest of a few round trips. */
  readonly pingMs: number;
  /** undefined when the server does not say. */
  readonly version: string | undefined;
  readonly policy: string | undefined;
  readonly isAppendOnly: boolean;
  readonly usedBytes: number;
  /** 0: no limit. */
  readonly mostBytes: number;
  readonly machineBytes: number;
}

export interface ServerFacts {
  readonly version: string | undefined;
  readonly testedVersion: string;
  readonly isTooOld: boolean;
  /** Values of its settings by name, such as `cairo.commit.mode`. */
  readonly settings: ReadonlyMap<string, string>;
}

export interface WalTable {
  readonly name: string;
  /** False for a table of another program in the same QuestDB. */
  readonly isOurs: boolean;
  readonly isSuspended: boolean;
  /** Transactions that are acknowledged and not visible yet. */
  readonly pending: number;
  /** The transaction that is applied next. */
  readonly nextTransaction: number;
  /** Why the server suspended it, in its words: such as `DISK FULL`; '' when it does not say. */
  readonly errorTag: string;
  readonly errorMessage: string;
}

export interface ViewsFacts {
  /** Views that this version needs, without those of series. */
  readonly wanted: number;
  readonly missing: readonly string[];
  readonly invalid: readonly { readonly name: string; readonly reason: string }[];
}

/** A table that is not as the migrations make it. */
export interface WrongTable {
  readonly table: string;
  readonly kind: 'missing' | 'no_wal' | 'no_dedup' | 'columns';
  /** What differs. */
  readonly what: string;
  /** The columns of its dedup key, as they should be. */
  readonly keys: readonly string[];
}

export interface TablesFacts {
  /** How many tables were compared. */
  readonly compared: number;
  readonly wrong: readonly WrongTable[];
}

export interface MigrationFacts {
  /** Whether the store has ever had a migration. */
  readonly isStarted: boolean;
  readonly known: number;
  readonly due: readonly string[];
  /** Of another release. */
  readonly unknown: readonly string[];
}

/** Tables with Parquet partitions whose columns are not to be written as `compact` sets it. */
export interface ParquetFacts {
  readonly tables: number;
  readonly otherEncodings: readonly string[];
}

/** What was fetched in the last days. */
export interface Growth {
  readonly days: number;
  readonly trades: number;
  readonly hours: number;
}

export interface StoredSeries extends Series {
  readonly isScheduled: boolean;
}

export interface StoreFacts {
  server(): Promise<ServerFacts>;
  walTables(): Promise<readonly WalTable[]>;
  views(): Promise<ViewsFacts>;
  tables(): Promise<TablesFacts>;
  migrations(): Promise<MigrationFacts>;
  /** Statements that are due for the tables and views of series, `trades` among them. */
  dueOfSeries(): Promise<number>;
  parquet(): Promise<ParquetFacts>;
  /** @returns undefined when nothing was fetched in that time */
  growth(nowMs: number): Promise<Growth | undefined>;
  /** Empty when the store has no such table. */
  series(): Promise<readonly StoredSeries[]>;
  /** The rules of the schedule. Empty when the store has no such table. */
  rules(): Promise<readonly ScheduleRule[]>;
}

export interface StoreCures {
  /** Makes the applied migrations' views again. @returns names */
  makeViews(names: readonly string[]): Promise<readonly string[]>;
  resume(table: string): Promise<void>;
  /** Where the log of the table's next transaction is, below the data folder; undefined when nothing is pending. */
  nextSegment(table: string, transaction: number): Promise<string | undefined>;
}

export interface DiskFacts {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** What the kernel grants QuestDB; undefined where it can't be read. */
export interface LimitFacts {
  readonly openFiles: number | undefined;
  readonly mostOpenFiles: number | undefined;
  readonly maps: number | undefined;
  readonly mostMaps: number | undefined;
}

/** The machine of a QuestDB that runs as a process of this home. */
export interface StoreMachine {
  disk(): Promise<DiskFacts>;
  limits(): Promise<LimitFacts>;
  /** Whether a path below the data folder exists. */
  has(path: string): Promise<boolean>;
}

export interface QueueFacts extends Pick<JobQueue, 'counts' | 'newestFailure' | 'hasTick'> {
  /** Ids of jobs that count as running and have no live worker. */
  stalled(): Promise<readonly string[]>;
  /** Worker processes that are connected; undefined when Redis does not list its clients. */
  workers(): Promise<number | undefined>;
  registered(): Promise<readonly RegisteredWorker[]>;
}

export interface QueueCures {
  /** @returns how many were forgotten */
  forgetFailed(): Promise<number>;
}

export interface ExchangeFacts {
  /** The name of the address that this process asks from. */
  readonly egress: string;
  /** @param egress default: the address of this process */
  state(market: Market, egress?: string): Promise<GovernorState>;
  /** The end of the ban that the store remembers; 0 when there was none. */
  bannedUntilMs(market: Market): Promise<number>;
  /** Sends one request of weight 1. */
  clock(
    market: Market,
    signal: AbortSignal,
  ): Promise<{ readonly offsetMs: number; readonly uncertaintyMs: number }>;
}

export interface GrafanaFacts {
  readonly version: string;
  readonly dataSource:
    | { readonly isFound: true; readonly answers: boolean; readonly message: string }
    | { readonly isFound: false; readonly status: number };
}
