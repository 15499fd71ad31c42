/** Instructions of a test for queue-worker-process.ts. */
export interface WorkerOrders {
  readonly redisUrl: string;
  readonly prefix: string;
  readonly lockMs: number;
  readonly slice: SliceOrder;
}

/** What its slice jobs do. `wait`: wait until aborted. `block`: block the event loop for `ms`. `quick`: end at once. */
export type SliceOrder =
  | { readonly how: 'wait' | 'quick' }
  | { readonly how: 'block'; readonly ms: number };
