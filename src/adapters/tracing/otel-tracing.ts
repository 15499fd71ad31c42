import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import {
  type Context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Tracer,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  type IdGenerator,
  RandomIdGenerator,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { SpanAttributes, Tracing } from '../../ports/tracing.ts';

export interface RunningTracing extends Tracing {
  /** Sends what is left; a collector that does not answer delays the end by EXPORT_MS at most. */
  close(): Promise<void>;
}

const EXPORT_MS = 2_000;

/** @param endpoint base URL of a collector for OTLP over HTTP, as OTEL_EXPORTER_OTLP_ENDPOINT has it */
export function createOtelTracing(endpoint: string, version: string): RunningTracing {
  return new OtelTracing(endpoint, version);
}

interface SpanIds {
  readonly traceId: string;
  readonly spanId: string;
}

/**
 * The ids at the root of a run's trace. They are made from the run's id, so that every host knows them and no
 * job has to carry them.
 */
function idsOf(runId: string): SpanIds {
  const hash = createHash('sha256').update(runId).digest('hex');
  return { traceId: hash.slice(0, 32), spanId: hash.slice(32, 48) };
}

/** Random ids, or those that were given for the next span. */
class Ids implements IdGenerator {
  given: SpanIds | undefined;
  readonly #random = new RandomIdGenerator();

  readonly generateTraceId = () => this.given?.traceId ?? this.#random.generateTraceId();

  readonly generateSpanId = () => this.given?.spanId ?? this.#random.generateSpanId();
}

class OtelTracing implements RunningTracing {
  readonly #ids = new Ids();
  readonly #provider: TracerProvider;
  readonly #tracer: Tracer;
  readonly #current = new AsyncLocalStorage<Span>();

  constructor(endpoint: string, version: string) {
    const url = `${endpoint.replace(/\/$/, '')}/v1/traces`;
    const exporter = new OTLPTraceExporter({ url, timeoutMillis: EXPORT_MS });
    this.#provider = new TracerProvider({
      resource: resourceFromAttributes({ 'service.name': 'cdvault', 'service.version': version }),
      idGenerator: this.#ids,
      spanProcessors: [new BatchSpanProcessor({ exporter })],
    });
    this.#tracer = this.#provider.getTracer('cdvault', version);
  }

  readonly run: Tracing['run'] = ({ name, runId, attributes }, work) => {
    this.#ids.given = idsOf(runId);
    const span = this.#tracer.startSpan(name, { attributes: { ...attributes } }, ROOT_CONTEXT);
    this.#ids.given = undefined;
    return this.#within(span, work);
  };

  readonly job: Tracing['job'] = ({ name, runId, attributes }, work) => {
    const options = { kind: SpanKind.CONSUMER, attributes: { ...attributes } };
    return this.#within(this.#tracer.startSpan(name, options, rootOf(runId)), work);
  };

  annotate(attributes: SpanAttributes): void {
    const span = this.#current.getStore();
    span?.setAttributes({ ...attributes });
    if (attributes['error.type'] !== undefined) span?.setStatus({ code: SpanStatusCode.ERROR });
  }

  part(name: string, durationMs: number, attributes: SpanAttributes): void {
    const whole = this.#current.getStore();
    if (whole === undefined) return;
    const endMs = Date.now();
    const options = { startTime: endMs - durationMs, attributes: { ...attributes } };
    this.#tracer.startSpan(name, options, trace.setSpan(ROOT_CONTEXT, whole)).end(endMs);
  }

  async close(): Promise<void> {
    // A collector that is away is no failure of the command.
    await this.#provider.shutdown().catch(() => undefined);
  }

  async #within<T>(span: Span, work: () => Promise<T>): Promise<T> {
    try {
      return await this.#current.run(span, work);
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  }
}

function rootOf(runId: string | undefined): Context {
  if (runId === undefined) return ROOT_CONTEXT;
  const ids = { ...idsOf(runId), traceFlags: TraceFlags.SAMPLED, isRemote: true };
  return trace.setSpanContext(ROOT_CONTEXT, ids);
}
