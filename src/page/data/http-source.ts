import { CHART_INTERVALS } from '../intervals.ts';
import { parseSeries, seriesText } from '../view.ts';
import type { Answers, Endpoint, StatusAnswer } from './answers.ts';
import { queryText } from './query.ts';
import { type DataSource, type Listener, type Query, Refusal } from './source.ts';

const API = '/api/v1';

/** After an event stream that the server refused, which the browser does not open again by itself. */
const REOPEN_MS = 5_000;

/** A stream that is lost for longer is worth a word: a proxy may end one, and the browser opens it again. */
const LOST_MS = 8_000;

export function createHttpSource(): DataSource {
  return {
    isLive: true,
    intervals: CHART_INTERVALS,
    ask: async <E extends Endpoint>(endpoint: E, query: Query, signal: AbortSignal) =>
      (await request(`${API}/${endpoint}${queryText(query)}`, signal)) as Answers[E],
    listen(series, listener) {
      const query = series.map((one) => `series=${seriesText(one)}`).join('&');
      return listenTo(`${API}/events?${query}`, listener);
    },
  };
}

async function request(path: string, signal: AbortSignal): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(path, { signal });
  } catch (error) {
    if (signal.aborted) throw error;
    throw noAnswer();
  }
  if (response.ok) return response.json();
  throw await refusalOf(response);
}

function noAnswer(): Refusal {
  return new Refusal('The server does not answer.', {
    advice: 'The page asks again by itself. If `cdvault serve` was stopped, start it again.',
    isRetryable: true,
  });
}

async function refusalOf(response: Response): Promise<Refusal> {
  const { status } = response;
  const body: unknown = await response.json().catch(() => undefined);
  const error = fieldsOf(fieldsOf(body)['error']);
  const text = (name: string) => {
    const value = error[name];
    return typeof value === 'string' ? value : undefined;
  };
  return new Refusal(text('message') ?? `The server answers ${status}.`, {
    code: text('code') ?? `HTTP_${status}`,
    advice: text('advice') ?? '',
    isRetryable: error['retryable'] === true || status === 503,
    status,
  });
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function listenTo(url: string, listener: Listener): () => void {
  let stream: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const ending = new AbortController();
  let asking: ReturnType<typeof setTimeout> | undefined;
  const ask = async () => {
    try {
      await request(
        `${API}/status`,
        AbortSignal.any([ending.signal, AbortSignal.timeout(LOST_MS)]),
      );
    } catch (error) {
      if (ending.signal.aborted || asking === undefined) return;
      listener.onLost(error instanceof Refusal ? error : noAnswer());
    }
    if (asking !== undefined) asking = setTimeout(() => void ask(), LOST_MS);
  };
  const open = () => {
    stream = new EventSource(url);
    stream.addEventListener('open', () => {
      if (asking === undefined) return;
      clearTimeout(asking);
      asking = undefined;
      listener.onBack();
    });
    stream.addEventListener('bars', ({ data }: MessageEvent<string>) => {
      const { market, symbol, from, to } = fieldsOf(JSON.parse(data));
      const name = parseSeries(`${String(market)}:${String(symbol)}`);
      if (name !== undefined) listener.onBars({ ...name, from: Number(from), to: Number(to) });
    });
    stream.addEventListener('status', ({ data }: MessageEvent<string>) => {
      listener.onStatus(JSON.parse(data) as StatusAnswer);
    });
    stream.addEventListener('error', () => {
      const isRefused = stream?.readyState === EventSource.CLOSED;
      if (asking === undefined) listener.onSilent();
      asking ??= setTimeout(() => void ask(), isRefused ? 0 : LOST_MS);
      if (isRefused) timer = setTimeout(open, REOPEN_MS);
    });
  };
  const pause = () => {
    stream?.close();
    clearTimeout(timer);
    clearTimeout(asking);
    asking = undefined;
  };
  // A browser opens six connections to a host: those of tabs that nobody sees would leave none for a seventh tab.
  const onSeen = () => {
    pause();
    if (document.hidden) return;
    open();
    listener.onBack();
  };
  document.addEventListener('visibilitychange', onSeen, { signal: ending.signal });
  if (!document.hidden) open();
  return () => {
    pause();
    ending.abort();
  };
}
