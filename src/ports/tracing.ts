export type SpanAttributes = Readonly<Record<string, string | number | boolean | undefined>>;

interface TracedWork {
  readonly name: string;
  readonly attributes: SpanAttributes;
}

/** Spans of what is done, for whoever collects them. */
export interface Tracing {
  /** The span at the root of a run's trace: its planning. Jobs of the run are below it, on whatever host. */
  run<T>(what: TracedWork & { readonly runId: string }, work: () => Promise<T>): Promise<T>;
  /** A job, in the trace of its run; those that serve all runs have traces of their own. */
  job<T>(
    what: TracedWork & { readonly runId: string | undefined },
    work: () => Promise<T>,
  ): Promise<T>;
  /** Adds to the span of the work in which it is called. An `error.type` marks it as failed. */
  annotate(attributes: SpanAttributes): void;
  /** A part of the work in which it is called, that has just ended. */
  part(name: string, durationMs: number, attributes: SpanAttributes): void;
}
