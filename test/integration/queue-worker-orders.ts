/** What a test tells queue-worker-process.ts. */
export interface WorkerOrders {
  readonly redisUrl: string;
  readonly prefix: string;
  readonly lockMs: number;
  readonly slice: SliceOrder;
}

/** What its slice jobs do. `wait`: until aborted. `block`: the event loop, for that long. `quick`: done at once. */
export type SliceOrder =
  | { readonly how: 'wait' | 'quick' }
  | { readonly how: 'block'; readonly ms: number };
