import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { z } from 'zod';
import {
  text,
  number,
  wholeNumber,
  wholeNumberOrAuto,
  url,
  exchangeUrl,
  pgUrl,
  proxyUrl,
  oneOf,
  tierBounds,
  hostNames,
  publicUrl,
} from './config-values.ts';
import { CdvaultError } from './domain/errors.ts';
import type { Market } from './domain/market.ts';
import { DEFAULT_TIERS, type TierBounds } from './domain/bars/tier.ts';

/**
 * Every setting: its environment variable and its default. This file alone reads the environment;
 * docs/configuration.md and .env.example explain each.
 */
export const SETTINGS = {
  redisUrl: { env: 'REDIS_URL', default: '' },
  questdbHttpUrl: { env: 'QUESTDB_HTTP_URL', default: '' },
  questdbPgUrl: { env: 'QUESTDB_PG_URL', default: '' },
  questdbReadonlyPgUrl: { env: 'QUESTDB_READONLY_PG_URL', default: '' },
  spotUrl: { env: 'BINANCE_SPOT_URL', default: 'https://api.binance.com' },
  umUrl: { env: 'BINANCE_UM_URL', default: 'https://fapi.binance.com' },
  cmUrl: { env: 'BINANCE_CM_URL', default: 'https://dapi.binance.com' },
  alertUrl: { env: 'CDVAULT_ALERT_URL', default: '' },
  archiveUrl: { env: 'BINANCE_ARCHIVE_URL', default: 'https://data.binance.vision' },
  httpsProxy: { env: 'HTTPS_PROXY', default: '' },
  httpProxy: { env: 'HTTP_PROXY', default: '' },
  noProxy: { env: 'NO_PROXY', default: '' },
  egress: { env: 'CDVAULT_EGRESS', default: 'default' },
  weightShare: { env: 'CDVAULT_WEIGHT_SHARE', default: '0.6' },
  concurrency: { env: 'CDVAULT_CONCURRENCY', default: '8' },
  tiers: { env: 'CDVAULT_TIERS', default: DEFAULT_TIERS.slice(1).join(',') },
  redisPrefix: { env: 'CDVAULT_REDIS_PREFIX', default: 'cdvault' },
  serveHost: { env: 'CDVAULT_SERVE_HOST', default: '127.0.0.1' },
  servePort: { env: 'CDVAULT_SERVE_PORT', default: '9180' },
  serveUser: { env: 'CDVAULT_SERVE_USER', default: 'cdvault' },
  serveHosts: { env: 'CDVAULT_SERVE_HOSTS', default: '' },
  serveUrl: { env: 'CDVAULT_SERVE_URL', default: '' },
  // No flag: every user of a machine can read the arguments of its processes.
  servePassword: { env: 'CDVAULT_SERVE_PASSWORD', default: '' },
  grafanaUrl: { env: 'CDVAULT_GRAFANA_URL', default: '' },
  grafanaToken: { env: 'CDVAULT_GRAFANA_TOKEN', default: '' },
  services: { env: 'CDVAULT_SERVICES', default: '' },
  home: { env: 'CDVAULT_HOME', default: '' },
  jarDir: { env: 'CDVAULT_JAR_DIR', default: '' },
  dataHome: { env: 'XDG_DATA_HOME', default: '' },
  javaHome: { env: 'JAVA_HOME', default: '' },
  otlpUrl: { env: 'OTEL_EXPORTER_OTLP_ENDPOINT', default: '' },
  logLevel: { env: 'CDVAULT_LOG', default: 'warn' },
} as const satisfies Readonly<Record<string, { env: string; default: string }>>;

type SettingName = keyof typeof SETTINGS;
type Overrides = Partial<Record<SettingName, string>>;
type Env = Readonly<Record<string, string | undefined>>;

/** Flags that set the same settings; named in error messages. */
export const FLAGS: Partial<Record<SettingName, string>> = {
  weightShare: '--weight-share',
  concurrency: '--concurrency',
  serveHost: '--host',
  servePort: '--port',
  serveUser: '--user',
};

/** Common proxy variables, which programs read in upper and lower case; lower case wins. */
const EITHER_CASE: ReadonlySet<SettingName> = new Set(['httpsProxy', 'httpProxy', 'noProxy']);

/** Where Redis and QuestDB are, or how cdvault starts its own. */
export interface ServicesSettings {
  /** The four URLs are '' when not given. */
  readonly redisUrl: string;
  readonly questdbHttpUrl: string;
  readonly questdbPgUrl: string;
  readonly questdbReadonlyPgUrl: string;
  /** The way that must be used; '' to let cdvault choose. */
  readonly rung: 'environment' | 'containers' | 'native' | '';
  readonly homeDir: string;
  readonly jarDir: string;
  readonly javaHome: string;
  /** The environment for child processes, unchanged. */
  readonly childEnv: Env;
}

export interface Config {
  readonly services: ServicesSettings;
  readonly homeDir: string;
  readonly exchangeUrls: Readonly<Record<Market, string>>;
  readonly archiveUrl: string;
  /** undefined when no alerts are sent; may contain a secret. */
  readonly alertUrl: string | undefined;
  /** For requests to the exchange only; '' means no proxy. */
  readonly proxies: { readonly http: string; readonly https: string; readonly except: string };
  readonly egress: string;
  readonly weightShare: number;
  /** `auto`: as many as the exchange's limit, this machine and the store allow. */
  readonly concurrency: number | 'auto';
  readonly tiers: TierBounds;
  readonly redisPrefix: string;
  readonly serve: ServeConfig;
  /** For `doctor`; undefined when not given. The URL and the token may be secrets. */
  readonly grafana: { readonly url: string; readonly token: string } | undefined;
  /** Collector of traces; undefined when nobody collects them. May contain a secret. */
  readonly otlpUrl: string | undefined;
  readonly logLevel: z.infer<typeof schema>['logLevel'];
}

/** The settings of `serve`. */
export interface ServeConfig {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Names by which browsers may ask for it, besides addresses and names without a dot; lower case. */
  readonly hosts: readonly string[];
  /** Where browsers reach it, such as behind a proxy, for links; undefined: at its own address. */
  readonly url: string | undefined;
  /** undefined when not given. */
  readonly password: string | undefined;
}

const schema = z.object({
  redisUrl: url(['redis', 'rediss'], true),
  questdbHttpUrl: url(['http', 'https'], true),
  questdbPgUrl: pgUrl,
  questdbReadonlyPgUrl: pgUrl,
  spotUrl: exchangeUrl,
  umUrl: exchangeUrl,
  cmUrl: exchangeUrl,
  archiveUrl: exchangeUrl,
  alertUrl: url(['https', 'http'], true),
  httpsProxy: proxyUrl,
  httpProxy: proxyUrl,
  noProxy: text,
  egress: text,
  weightShare: number(0.01, 1),
  concurrency: wholeNumberOrAuto(1, 64),
  tiers: tierBounds,
  redisPrefix: text,
  serveHost: text,
  servePort: wholeNumber(0, 65_535),
  serveUser: text.refine((user) => !user.includes(':'), { error: 'must not contain a colon' }),
  serveHosts: hostNames,
  serveUrl: publicUrl,
  servePassword: text,
  grafanaUrl: url(['http', 'https'], true),
  grafanaToken: text,
  services: oneOf(['', 'environment', 'containers', 'native']),
  home: text,
  jarDir: text,
  dataHome: text,
  javaHome: text,
  otlpUrl: url(['http', 'https'], true),
  logLevel: oneOf(['debug', 'info', 'warn', 'error']),
} satisfies Record<SettingName, z.ZodType>);

/**
 * @param overrides values of command-line flags, which take precedence over the environment
 * @throws CdvaultError USAGE that lists every invalid value
 */
export function loadConfig(overrides: Overrides = {}, env: Env = process.env): Config {
  const of = parsed(overrides, env);
  const ownDir = ownFolder(of.dataHome);
  const homeDir = of.home || ownDir;
  const { redisUrl, questdbHttpUrl, questdbPgUrl, questdbReadonlyPgUrl, javaHome } = of;
  const { egress, weightShare, concurrency, tiers, redisPrefix, logLevel, archiveUrl } = of;
  return {
    services: {
      redisUrl,
      questdbHttpUrl,
      questdbPgUrl,
      questdbReadonlyPgUrl,
      rung: of.services,
      homeDir,
      // Not in the home: all homes can use the same jar.
      jarDir: of.jarDir || join(ownDir, 'jars'),
      javaHome,
      childEnv: env,
    },
    homeDir,
    exchangeUrls: { binance_spot: of.spotUrl, binance_um: of.umUrl, binance_cm: of.cmUrl },
    archiveUrl,
    alertUrl: of.alertUrl || undefined,
    otlpUrl: of.otlpUrl || undefined,
    proxies: { http: of.httpProxy, https: of.httpsProxy, except: of.noProxy },
    egress,
    weightShare,
    concurrency,
    tiers,
    redisPrefix,
    logLevel,
    grafana: of.grafanaUrl === '' ? undefined : { url: of.grafanaUrl, token: of.grafanaToken },
    serve: {
      host: of.serveHost,
      port: of.servePort,
      user: of.serveUser,
      hosts: [
        of.serveHost.toLowerCase(),
        ...(of.serveUrl === undefined ? [] : [new URL(of.serveUrl).hostname]),
        ...of.serveHosts,
      ],
      url: of.serveUrl,
      password: of.servePassword || undefined,
    },
  };
}

/**
 * A checkout keeps its data in itself. An installed package, which has no TypeScript, keeps them in a folder of the
 * user: npm deletes the package's own folder at each update.
 */
function ownFolder(dataHome: string): string {
  if (import.meta.filename.endsWith('.ts')) return join(import.meta.dirname, '../.cdvault');
  // The XDG Base Directory Specification says that a relative path must be ignored.
  return join(isAbsolute(dataHome) ? dataHome : join(homedir(), '.local/share'), 'cdvault');
}

function parsed(overrides: Overrides, env: Env): z.infer<typeof schema> {
  const names = Object.keys(SETTINGS) as SettingName[];
  // An empty value counts as not set, since shells and compose files unset variables in this way.
  const given = names.map((name) => {
    const { env: variable, default: otherwise } = SETTINGS[name];
    const lower = EITHER_CASE.has(name) ? env[variable.toLowerCase()] : undefined;
    return [name, overrides[name] ?? (lower || env[variable] || otherwise)];
  });
  const result = schema.safeParse(Object.fromEntries(given));
  if (result.success) return result.data;
  const problems = result.error.issues.map(
    ({ path: [name], message }) => `${nameOf(name as SettingName)} ${message}`,
  );
  throw new CdvaultError('USAGE', problems.join('\n'), {
    advice: 'See .env.example and the command’s --help.',
  });
}

function nameOf(name: SettingName): string {
  const { env } = SETTINGS[name];
  const flag = FLAGS[name];
  return flag === undefined ? env : `${flag} (${env})`;
}
