import type { ChartInterval } from '../intervals.ts';
import type { SeriesName } from '../view.ts';
import type { Answers, Endpoint, StatusAnswer } from './answers.ts';

/** Parameters of a request; undefined ones are left out. */
export type Query = Readonly<Record<string, string | number | undefined>>;

/** Where the page's numbers come from: the API of the server, or answers that are part of the page. */
export interface DataSource {
  /** @throws Refusal, or an AbortError when the signal aborts */
  ask<E extends Endpoint>(endpoint: E, query: Query, signal: AbortSignal): Promise<Answers[E]>;
  /** Tells what changes, until the returned function is called. */
  listen(series: readonly SeriesName[], listener: Listener): () => void;
  /** Whether there is a server with a board, downloads and new bars. */
  readonly isLive: boolean;
  /** Of which it has bars. */
  readonly intervals: readonly ChartInterval[];
}

export interface Listener {
  /** Bars of a series were built: those of [from, to) may have changed. */
  readonly onBars: (changed: SeriesName & { readonly from: number; readonly to: number }) => void;
  readonly onStatus: (status: StatusAnswer) => void;
  /** The connection is back after it was lost: anything may have changed. */
  readonly onBack: () => void;
  /** The connection is lost; whether the server answers is not known yet. */
  readonly onSilent: () => void;
  /** The connection is lost, and the server does not answer either, or refuses: says why. */
  readonly onLost: (error: Refusal) => void;
}

/** An answer that is an error. `code` is one of docs/errors.md, or `UNREACHABLE` when nobody answers. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: string;
  readonly advice: string;
  readonly isRetryable: boolean;
  readonly status: number;

  constructor(
    message: string,
    facts: Partial<Pick<Refusal, 'code' | 'advice' | 'isRetryable' | 'status'>>,
  ) {
    super(message);
    this.code = facts.code ?? 'UNREACHABLE';
    this.advice = facts.advice ?? '';
    this.isRetryable = facts.isRetryable ?? false;
    this.status = facts.status ?? 0;
  }
}

export function isAborted(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}
