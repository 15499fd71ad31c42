import { join } from 'node:path';
import { CdvaultError } from './domain/errors.ts';
import type { Market } from './domain/market.ts';
import type { TierBounds } from './domain/tier.ts';

/**
 * Every setting in one table: its environment variable, its default, its help. The only reader of the
 * process environment; docs, `--help` and .env.example follow this table.
 */
export const SETTINGS = {
  redisUrl: {
    env: 'REDIS_URL',
    default: '',
    help: 'Redis, with credentials: redis://:password@host:6379/0',
  },
  questdbHttpUrl: {
    env: 'QUESTDB_HTTP_URL',
    default: '',
    help: 'QuestDB over HTTP: http://user:password@host:9000',
  },
  questdbPgUrl: {
    env: 'QUESTDB_PG_URL',
    default: '',
    help: 'QuestDB over the PostgreSQL wire: postgresql://user:password@host:8812/qdb',
  },
  questdbReadonlyPgUrl: {
    env: 'QUESTDB_READONLY_PG_URL',
    default: '',
    help: 'The same as the read-only user, for people and dashboards',
  },
  spotUrl: {
    env: 'BINANCE_SPOT_URL',
    default: 'https://api.binance.com',
    help: 'Spot REST; https://data-api.binance.vision serves market data where the main host does not',
  },
  umUrl: { env: 'BINANCE_UM_URL', default: 'https://fapi.binance.com', help: 'USD-M futures REST' },
  cmUrl: {
    env: 'BINANCE_CM_URL',
    default: 'https://dapi.binance.com',
    help: 'COIN-M futures REST',
  },
  archiveUrl: {
    env: 'BINANCE_ARCHIVE_URL',
    default: 'https://data.binance.vision',
    help: 'Daily archive files',
  },
  httpsProxy: {
    env: 'HTTPS_PROXY',
    default: '',
    help: 'Proxy for https:// hosts of the exchange: http://user:password@host:3128',
  },
  httpProxy: { env: 'HTTP_PROXY', default: '', help: 'Proxy for http:// ones' },
  noProxy: { env: 'NO_PROXY', default: '', help: 'Hosts that are asked directly' },
  egress: {
    env: 'CDVAULT_EGRESS',
    default: 'default',
    help: 'Name of the address that requests leave from; workers of one name share one weight budget',
  },
  weightShare: {
    env: 'CDVAULT_WEIGHT_SHARE',
    default: '0.6',
    help: 'Part of the exchange’s weight limit to use, 0.01 to 1; leave room for other programs on this address',
  },
  concurrency: {
    env: 'CDVAULT_CONCURRENCY',
    default: '8',
    help: 'Hour slices that one worker fetches at a time',
  },
  tiers: {
    env: 'CDVAULT_TIERS',
    default: '10000,100000,1000000',
    help: 'Sizes of trades that are told apart, in quote currency; the same for all who write to a store',
  },
  redisPrefix: {
    env: 'CDVAULT_REDIS_PREFIX',
    default: 'cdvault',
    help: 'Prefix of every Redis key',
  },
  serveHost: {
    env: 'CDVAULT_SERVE_HOST',
    default: '127.0.0.1',
    help: 'Address that serve listens on; one that other machines reach needs a password',
  },
  servePort: {
    env: 'CDVAULT_SERVE_PORT',
    default: '9180',
    help: 'Port that serve listens on; 0 takes any that is free',
  },
  serveUser: {
    env: 'CDVAULT_SERVE_USER',
    default: 'cdvault',
    help: 'Name of the one who may see the board and the metrics',
  },
  servePassword: {
    // No flag: the arguments of a process can be read by everybody on its machine.
    env: 'CDVAULT_SERVE_PASSWORD',
    default: '',
    help: 'That one’s password; default: made for each run and shown once',
  },
  services: {
    env: 'CDVAULT_SERVICES',
    default: '',
    help: 'Force a way to run the services: environment, containers or native',
  },
  home: {
    env: 'CDVAULT_HOME',
    default: '',
    help: 'Data of services that cdvault starts itself; default .cdvault beside package.json',
  },
  jarDir: {
    env: 'CDVAULT_JAR_DIR',
    default: '',
    help: 'Where the QuestDB jar is kept; default .cdvault/jars beside package.json',
  },
  logLevel: {
    env: 'CDVAULT_LOG',
    default: 'warn',
    help: 'debug, info, warn or error; JSON lines on standard error',
  },
} as const satisfies Readonly<Record<string, { env: string; default: string; help: string }>>;

type SettingName = keyof typeof SETTINGS;
type Overrides = Partial<Record<SettingName, string>>;

export interface Config {
  /** The environment as given, for the services' own ladder and for child processes. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly homeDir: string;
  readonly exchangeUrls: Readonly<Record<Market, string>>;
  readonly archiveUrl: string;
  /** Towards the exchange alone; '' where there is none. */
  readonly proxies: { readonly http: string; readonly https: string; readonly except: string };
  readonly egress: string;
  readonly weightShare: number;
  readonly concurrency: number;
  readonly tiers: TierBounds;
  readonly redisPrefix: string;
  readonly logLevel: LogLevel;
}

/** Each is a row of every minute. */
const MOST_TIERS = 15;

const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * @param overrides what flags of the command line say; they win
 * @throws CdvaultError USAGE for a value that can't be understood
 */
export function loadConfig(overrides: Overrides = {}): Config {
  const of = settingsOf(overrides);
  return {
    env: process.env,
    homeDir: of('home') === '' ? join(import.meta.dirname, '../.cdvault') : of('home'),
    exchangeUrls: {
      binance_spot: httpUrl('spotUrl', of('spotUrl')),
      binance_um: httpUrl('umUrl', of('umUrl')),
      binance_cm: httpUrl('cmUrl', of('cmUrl')),
    },
    archiveUrl: httpUrl('archiveUrl', of('archiveUrl')),
    proxies: {
      http: proxyUrl('httpProxy', of('httpProxy')),
      https: proxyUrl('httpsProxy', of('httpsProxy')),
      except: of('noProxy'),
    },
    egress: of('egress'),
    weightShare: number('weightShare', of('weightShare'), 0.01, 1),
    concurrency: Math.floor(number('concurrency', of('concurrency'), 1, 64)),
    tiers: tierBounds(of('tiers')),
    redisPrefix: of('redisPrefix'),
    logLevel: oneOf('logLevel', of('logLevel'), LOG_LEVELS),
  };
}

/** What `serve` needs besides. */
export interface ServeConfig {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** undefined when nobody has chosen one. */
  readonly password: string | undefined;
}

/** @throws CdvaultError USAGE for a value that can't be understood */
export function loadServeConfig(overrides: Overrides): ServeConfig {
  const of = settingsOf(overrides);
  const user = of('serveUser');
  if (user.includes(':'))
    throw new CdvaultError('USAGE', `--user (${SETTINGS.serveUser.env}) may not hold a colon`);
  const port = number('servePort', of('servePort'), 0, 65_535);
  if (!Number.isInteger(port))
    throw new CdvaultError('USAGE', `--port (${SETTINGS.servePort.env}) must be a whole number`);
  return { host: of('serveHost'), port, user, password: of('servePassword') || undefined };
}

function settingsOf(overrides: Overrides): (name: SettingName) => string {
  const given = (name: SettingName) => {
    const { env } = SETTINGS[name];
    return (EITHER_CASE.has(name) && process.env[env.toLowerCase()]) || process.env[env];
  };
  return (name) => overrides[name] ?? (given(name) || SETTINGS[name].default);
}

/** Others' variables, which programs read by both spellings; the lower one wins. */
const EITHER_CASE: ReadonlySet<SettingName> = new Set(['httpsProxy', 'httpProxy', 'noProxy']);

/** Some write host:port alone. The value may hold a password: it is not repeated. */
function proxyUrl(name: SettingName, value: string): string {
  if (value === '') return '';
  const url = value.includes('://') ? value : `http://${value}`;
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url;
  throw new CdvaultError('USAGE', `${SETTINGS[name].env} is not the http(s) URL of a proxy`);
}

function httpUrl(name: SettingName, value: string): string {
  if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol)) {
    throw new CdvaultError('USAGE', `${SETTINGS[name].env} is not an http(s) URL: ${value}`);
  }
  return value;
}

/** Whole and ascending; what is below the first is a tier too. */
function tierBounds(value: string): TierBounds {
  const bounds = value.split(',').map((part) => part.trim());
  const isAscending = bounds.every((bound, index) => {
    return (
      /^[1-9]\d{0,14}$/.test(bound) && (index === 0 || Number(bound) > Number(bounds[index - 1]))
    );
  });
  if (isAscending && bounds.length <= MOST_TIERS) return [0, ...bounds.map(Number)];
  throw new CdvaultError(
    'USAGE',
    `${SETTINGS.tiers.env} must be up to ${MOST_TIERS} ascending whole numbers like ${SETTINGS.tiers.default}, not ${JSON.stringify(value)}`,
  );
}

function number(name: SettingName, value: string, min: number, max: number): number {
  const parsed = Number(value);
  if (value.trim() === '' || !Number.isFinite(parsed) || parsed < min || parsed > max) {
    throw new CdvaultError(
      'USAGE',
      `${flagOf(name)} (${SETTINGS[name].env}) must be a number from ${min} to ${max}, not ${JSON.stringify(value)}`,
    );
  }
  return parsed;
}

/** weightShare → --weight-share, servePort → --port */
function flagOf(name: SettingName): string {
  const flag = name.replace(/^serve(?=[A-Z])/, '');
  return `--${flag.replace(/[A-Z]/g, (letter, at) => (at === 0 ? '' : '-') + letter.toLowerCase())}`;
}

function oneOf<T extends string>(name: SettingName, value: string, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) {
    throw new CdvaultError(
      'USAGE',
      `${SETTINGS[name].env} must be one of ${allowed.join(', ')}, not ${JSON.stringify(value)}`,
    );
  }
  return found;
}
