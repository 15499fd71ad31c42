import type { DiskFacts, LimitFacts, WalTable } from '../../ports/doctor.ts';
import { ROOM_BYTES } from './machine.ts';
import { bytesText, numberText } from './wording.ts';

/** What is known of a suspended table before it is resumed. */
export interface ResumeFacts {
  readonly table: WalTable;
  /** undefined: the disk of QuestDB cannot be seen. */
  readonly disk: DiskFacts | undefined;
  readonly limits: LimitFacts | undefined;
  /** Whether the log of the next transaction is on the disk; undefined when it cannot be seen. */
  readonly isNextThere: boolean | undefined;
}

const NEARLY_USED = 0.8;

/**
 * Why it is not safe to resume a table; undefined when it is. On a disk that is still full QuestDB would
 * suspend the table again or end, and a transaction without its log can never be applied.
 */
export function whyNotResume({
  table,
  disk,
  limits,
  isNextThere,
}: ResumeFacts): { readonly why: string; readonly cure: string } | undefined {
  const { name, isOurs, nextTransaction, errorTag, errorMessage } = table;
  const again = `then run ALTER TABLE ${name} RESUME WAL`;
  if (!isOurs) return { why: 'it is no table of cdvault', cure: `Find the cause, ${again}` };
  if (disk !== undefined && disk.freeBytes < ROOM_BYTES)
    return {
      why: `its disk has ${bytesText(disk.freeBytes)} left`,
      cure: `Free at least ${bytesText(ROOM_BYTES)}, then run cdvault doctor --fix again`,
    };
  if (disk === undefined && isOfDisk(errorTag, errorMessage))
    return {
      why: 'its disk was full and cannot be seen from here',
      cure: `Free disk space on the machine of QuestDB, ${again}`,
    };
  if (isUsedUp(limits?.maps, limits?.mostMaps))
    return {
      why: `${numberText(limits?.maps ?? 0)} memory maps are in use`,
      cure: 'Run sysctl -w vm.max_map_count=1048576, then cdvault doctor --fix again',
    };
  if (isUsedUp(limits?.openFiles, limits?.mostOpenFiles))
    return {
      why: `${numberText(limits?.openFiles ?? 0)} files are open`,
      cure: 'Restart QuestDB with ulimit -n 1048576, then run cdvault doctor --fix again',
    };
  if (isNextThere === false)
    return {
      why: `the log of its transaction ${nextTransaction} is gone`,
      cure: skipOne(name, nextTransaction),
    };
  return undefined;
}

function isUsedUp(used: number | undefined, most: number | undefined): boolean {
  return used !== undefined && most !== undefined && used > NEARLY_USED * most;
}

/** errno 28 is ENOSPC. */
function isOfDisk(tag: string, message: string): boolean {
  return tag === 'DISK FULL' || /no space left|errno=28\b/i.test(message);
}

/** What to do about a transaction that cannot be applied: its rows are lost, and fetched again. */
export function skipOne(table: string, transaction: number): string {
  return `ALTER TABLE ${table} RESUME WAL FROM TXN ${transaction + 1}, then run cdvault verify and cdvault repair on all of its series`;
}
