import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { startExchange, type ExchangeSymbol } from './exchange.ts';
import { faultySeries, type DataFault } from './data-faults.ts';
import type { Fault } from './faults.ts';
import { repeatedTrades } from './repeated-trades.ts';
import { syntheticTrades } from './synthetic-trades.ts';
import { withExcludedFills } from './excluded-fills.ts';
import type { ExchangeMarket } from './markets.ts';
import { bracketedTrades } from './bracketed-trades.ts';
import { loadTradesFile } from './trades-file.ts';

const USAGE = `usage: node test/exchange/main.ts
  --trades FILE --symbol SYMBOL          daily archive file (zip or csv); repeatable, in pairs; files of one symbol are joined
  --synthetic [um/|cm/]SYMBOL:SEED:FROM:TO:PER_HOUR[:FIRST_ID]   made-up trades between two ISO times; repeatable
  --port PORT  --host ADDRESS  --latency MS  --log FILE  --faults FILE.json  --fault-seed N  --no-gzip
  --no-weight-limit  --weight-limit N  --weight-window 1M|10S  --ban-seconds 120,600
  --data-faults FILE.json                {"SYMBOL": [{"kind": "gap", "fromId": 1, "toId": 9}, …], …}
  --neighbours                           add one trade before and one after the files of a symbol, as on the exchange
  --repeat-days N                        repeat the trades files N times, day after day
  --now TIME                             start the exchange's clock at TIME instead of now`;

const DAY_MS = 86_400_000;
const DAY_US = DAY_MS * 1000;

const { values } = parseArgs({
  options: {
    trades: { type: 'string', multiple: true, default: [] },
    symbol: { type: 'string', multiple: true, default: [] },
    synthetic: { type: 'string', multiple: true, default: [] },
    port: { type: 'string', default: '0' },
    host: { type: 'string', default: '127.0.0.1' },
    latency: { type: 'string' },
    log: { type: 'string' },
    faults: { type: 'string' },
    'fault-seed': { type: 'string' },
    'no-gzip': { type: 'boolean', default: false },
    'no-weight-limit': { type: 'boolean', default: false },
    'weight-limit': { type: 'string' },
    'weight-window': { type: 'string' },
    'ban-seconds': { type: 'string' },
    'data-faults': { type: 'string' },
    neighbours: { type: 'boolean', default: false },
    'repeat-days': { type: 'string', default: '1' },
    now: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

async function fileSymbols(): Promise<ExchangeSymbol[]> {
  const filesOf = new Map<string, string[]>();
  for (const [index, file] of values.trades.entries()) {
    const symbol = values.symbol[index] ?? values.symbol.at(-1) ?? 'BTCUSDT';
    filesOf.set(symbol, [...(filesOf.get(symbol) ?? []), file]);
  }
  const symbols: ExchangeSymbol[] = [];
  for (const [symbol, files] of filesOf) {
    const trades = await loadTradesFile(...files);
    const times = Number(values['repeat-days']);
    const repeated =
      times === 1 ? trades : repeatedTrades(trades, { times, everyMs: files.length * DAY_MS });
    const startUs = Math.floor(trades.at(0).timeUs / DAY_US) * DAY_US;
    symbols.push({
      symbol,
      trades: values.neighbours ? bracketedTrades(repeated, startUs) : repeated,
    });
  }
  return symbols;
}

/** `BTCUSDT:7:2024-01-01T00:00:00Z:2024-01-02T00:00:00Z:20000`: the times contain colons too. */
function syntheticSymbol(text: string): ExchangeSymbol {
  const time = String.raw`\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?Z?)?`;
  const match = new RegExp(
    `^(?:(um|cm)/)?([^:/]+):(\\d+):(${time}):(${time}):(\\d+)(?::(\\d+))?$`,
  ).exec(text);
  if (match === null) throw new Error(`--synthetic ${text} is not SYMBOL:SEED:FROM:TO:PER_HOUR`);
  const [, market, symbol = '', seed, from = '', to = '', tradesPerHour, firstId] = match;
  const options = {
    seed: Number(seed),
    fromMs: utcMs(from),
    toMs: utcMs(to),
    tradesPerHour: Number(tradesPerHour),
  };
  const trades = syntheticTrades({
    ...options,
    ...(firstId === undefined ? {} : { firstId: Number(firstId) }),
    // Quantities of contracts are whole numbers.
    ...(market === 'cm' ? { qtyDecimals: 0, typicalLots: 20 } : {}),
  });
  if (market === undefined) return { symbol, trades };
  return { market: market as ExchangeMarket, symbol, trades: withExcludedFills(trades) };
}

function utcMs(text: string): number {
  return Date.parse(text.includes('T') && !text.endsWith('Z') ? `${text}Z` : text);
}

function weightWindow(text: string): { interval: 'SECOND' | 'MINUTE'; intervalNum: number } {
  const match = /^(\d+)([SM])$/i.exec(text);
  if (match === null) throw new Error(`--weight-window ${text} is not like 1M or 10S`);
  return {
    interval: match[2]?.toUpperCase() === 'S' ? 'SECOND' : 'MINUTE',
    intervalNum: Number(match[1]),
  };
}

function withDataFaults(symbols: readonly ExchangeSymbol[]): readonly ExchangeSymbol[] {
  const file = values['data-faults'];
  if (file === undefined) return symbols;
  const faultsOf = JSON.parse(readFileSync(file, 'utf8')) as Readonly<
    Record<string, readonly DataFault[]>
  >;
  return symbols.map((entry) => ({
    ...entry,
    trades: faultySeries(entry.trades, faultsOf[entry.symbol] ?? []),
  }));
}

/** A clock that runs on from `start`. */
function clockFrom(start: string): () => number {
  const aheadMs = utcMs(start) - Date.now();
  return () => Date.now() + aheadMs;
}

async function main(): Promise<void> {
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const symbols = [...(await fileSymbols()), ...values.synthetic.map(syntheticSymbol)];
  if (symbols.length === 0) throw new Error(USAGE);
  const exchange = await startExchange({
    symbols: withDataFaults(symbols),
    port: Number(values.port),
    host: values.host,
    enforceWeight: !values['no-weight-limit'],
    gzip: !values['no-gzip'],
    ...(values['weight-limit'] === undefined
      ? {}
      : { weightLimit: Number(values['weight-limit']) }),
    ...(values['weight-window'] === undefined
      ? {}
      : { weightWindow: weightWindow(values['weight-window']) }),
    ...(values.latency === undefined ? {} : { latencyMs: Number(values.latency) }),
    ...(values.log === undefined ? {} : { logFile: values.log }),
    ...(values.faults === undefined
      ? {}
      : { faults: JSON.parse(readFileSync(values.faults, 'utf8')) as Fault[] }),
    ...(values['ban-seconds'] === undefined
      ? {}
      : { banSeconds: values['ban-seconds'].split(',').map(Number) }),
    ...(values.now === undefined ? {} : { nowMs: clockFrom(values.now) }),
    ...(values['fault-seed'] === undefined ? {} : { faultSeed: Number(values['fault-seed']) }),
  });
  console.log(`exchange listening on ${exchange.url}`);
  const stop = (): void => {
    exchange.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
});
