import { appendFileSync } from 'node:fs';

export interface RequestEntry {
  readonly seq: number;
  /** on the exchange's clock */
  readonly atMs: number;
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  /** of the client */
  readonly address: string;
  /** 0 until a status has been sent; stays 0 when the connection is cut before that */
  status: number;
  weight: number;
  usedWeight: number;
  fault?: string;
  /** the client called although a reply had told it to wait */
  violation?: string;
  /** of trade and kline pages before any fault; a fault may have changed what was sent */
  rows?: number;
  firstId?: number;
  lastId?: number;
}

const HEADERS_OF_INTEREST = ['x-mbx-time-unit', 'user-agent', 'accept-encoding'] as const;
const TRADES_ENDPOINT = '/aggTrades';
const KEPT_ENTRIES = 2_000_000;
const LINES_PER_WRITE = 64;

/** The client's requests and the replies that it got, oldest first. */
export class RequestLog {
  entries: RequestEntry[] = [];
  readonly #file: string | undefined;
  #seq = 0;
  #lines: string[] = [];

  constructor(file?: string) {
    this.#file = file;
  }

  open(request: {
    method: string;
    url: URL;
    headers: NodeJS.Dict<string | string[]>;
    atMs: number;
    address: string;
  }): RequestEntry {
    const headers: Record<string, string> = {};
    for (const name of HEADERS_OF_INTEREST) {
      const value = request.headers[name];
      if (typeof value === 'string') headers[name] = value;
    }
    const entry: RequestEntry = {
      seq: ++this.#seq,
      atMs: request.atMs,
      method: request.method,
      path: request.url.pathname,
      query: Object.fromEntries(request.url.searchParams),
      headers,
      address: request.address,
      status: 0,
      weight: 0,
      usedWeight: 0,
    };
    if (this.entries.length >= KEPT_ENTRIES) this.entries.splice(0, KEPT_ENTRIES / 2);
    this.entries.push(entry);
    return entry;
  }

  /** Called when the reply has been sent; writes the entry's line to the file. */
  done(entry: RequestEntry): void {
    if (this.#file === undefined) return;
    this.#lines.push(formatRequest(entry));
    if (this.#lines.length >= LINES_PER_WRITE) this.flush();
    else if (this.#lines.length === 1) setTimeout(() => this.flush(), 100).unref();
  }

  flush(): void {
    if (this.#file === undefined || this.#lines.length === 0) return;
    appendFileSync(this.#file, `${this.#lines.join('\n')}\n`);
    this.#lines = [];
  }

  clear(): void {
    this.entries = [];
  }

  count(path: string): number {
    return this.entries.filter((entry) => entry.path === path).length;
  }

  tradeRequests(): RequestEntry[] {
    return this.entries.filter((entry) => entry.path.endsWith(TRADES_ENDPOINT));
  }

  violations(): RequestEntry[] {
    return this.entries.filter((entry) => entry.violation !== undefined);
  }

  format(): string {
    return this.entries.map(formatRequest).join('\n');
  }
}

/** `17 2024-01-01T00:00:01.000Z GET /api/v3/aggTrades symbol=BTCUSDT&fromId=1 us → 200 weight 4 used 68 rows 1000 ids 1..1000` */
export function formatRequest(entry: RequestEntry): string {
  const query = new URLSearchParams(entry.query).toString();
  const unit =
    entry.headers['x-mbx-time-unit']?.toLowerCase().startsWith('micro') === true ? ' us' : '';
  const parts = [
    `${entry.seq} ${new Date(entry.atMs).toISOString()} ${entry.method} ${entry.path}${query === '' ? '' : ` ${query}`}${unit} →`,
  ];
  parts.push(
    entry.status === 0 ? 'no status' : String(entry.status),
    `weight ${entry.weight} used ${entry.usedWeight}`,
  );
  if (entry.rows !== undefined) parts.push(`rows ${entry.rows}`);
  if (entry.firstId !== undefined) parts.push(`ids ${entry.firstId}..${entry.lastId ?? ''}`);
  if (entry.fault !== undefined) parts.push(`fault ${entry.fault}`);
  if (entry.violation !== undefined) parts.push(`VIOLATION ${entry.violation}`);
  return parts.join(' ');
}
