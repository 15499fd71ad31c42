import { CdvaultError } from '../../domain/errors.ts';
import { redisCall } from '../redis/redis-call.ts';
import { isRefusal, probeQuestdbHttp, probeQuestdbPg, probeRedis } from './probes.ts';
import type { Env, ServiceUrls } from './types.ts';

const NAMES = {
  redisUrl: 'REDIS_URL',
  questdbHttpUrl: 'QUESTDB_HTTP_URL',
  questdbPgUrl: 'QUESTDB_PG_URL',
  questdbReadonlyPgUrl: 'QUESTDB_READONLY_PG_URL',
} as const;

const PROTOCOLS: Readonly<Record<keyof typeof NAMES, readonly string[]>> = {
  redisUrl: ['redis:', 'rediss:'],
  questdbHttpUrl: ['http:', 'https:'],
  questdbPgUrl: ['postgresql:', 'postgres:'],
  questdbReadonlyPgUrl: ['postgresql:', 'postgres:'],
};

/** Longer than its connecting and its answers may take: the probe's own reason is the better one. */
const REDIS_ANSWER_MS = 15_000;

/** An empty value counts as not set: that is how shells and compose files unset a variable. */
const valueOf = (env: Env, name: string): string | undefined => {
  const value = env[name]?.trim();
  return value === '' ? undefined : value;
};

function checked(env: Env, key: keyof typeof NAMES): string {
  const name = NAMES[key];
  const value = valueOf(env, name) ?? '';
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !PROTOCOLS[key].includes(url.protocol)) {
    // The value may hold a password: it is not repeated.
    throw new CdvaultError('SERVICES_CONFIG', `${name} is not a ${PROTOCOLS[key][0]}// URL`);
  }
  return value.replace(/\/$/, '');
}

/** All four URLs, or undefined when none is set. Some but not all is a mistake, never a mixture. */
export function urlsFromEnvironment(env: Env, required: boolean): ServiceUrls | undefined {
  const names = Object.values(NAMES);
  const missing = names.filter((name) => valueOf(env, name) === undefined);
  if (missing.length === names.length && !required) return undefined;
  if (missing.length > 0) {
    const set = names.filter((name) => !missing.includes(name));
    const reason =
      set.length > 0
        ? `${set.join(', ')} set, but not `
        : 'services from the environment are asked for, but not set: ';
    throw new CdvaultError('SERVICES_CONFIG', reason + missing.join(', '), {
      advice: `Set all of ${names.join(', ')}, or none. A server without a read-only user takes the same URL twice.`,
    });
  }
  return {
    how: 'environment',
    redisUrl: checked(env, 'redisUrl'),
    questdbHttpUrl: checked(env, 'questdbHttpUrl'),
    questdbPgUrl: checked(env, 'questdbPgUrl'),
    questdbReadonlyPgUrl: checked(env, 'questdbReadonlyPgUrl'),
  };
}

const hostOf = (url: string): string => new URL(url).host;

/** For a person: where things are, without passwords. */
export function placesOf(urls: ServiceUrls): string {
  return `Redis ${hostOf(urls.redisUrl)}, QuestDB ${hostOf(urls.questdbHttpUrl)} and ${hostOf(urls.questdbPgUrl)} (SQL)`;
}

/**
 * We don't start these services, so an answer is all that can be asked of them.
 * @throws CdvaultError REDIS_UNREACHABLE, STORE_UNREACHABLE, or where a server answers and lets nobody
 *   in REDIS_REFUSED, STORE_REFUSED
 */
export async function requireAnswers(urls: ServiceUrls): Promise<void> {
  await redisCall(`answer at ${hostOf(urls.redisUrl)}`, () => probeRedis(urls.redisUrl), {
    answerMs: REDIS_ANSWER_MS,
  });
  const { questdbHttpUrl, questdbPgUrl, questdbReadonlyPgUrl } = urls;
  await askedOf(questdbHttpUrl, NAMES.questdbHttpUrl, probeQuestdbHttp);
  await askedOf(questdbPgUrl, NAMES.questdbPgUrl, probeQuestdbPg);
  await askedOf(questdbReadonlyPgUrl, NAMES.questdbReadonlyPgUrl, probeQuestdbPg);
}

async function askedOf(
  url: string,
  name: string,
  probe: (url: string) => Promise<void>,
): Promise<void> {
  try {
    await probe(url);
  } catch (error) {
    const where = `QuestDB at ${hostOf(url)}: ${reasonOf(error)}`;
    if (!isRefusal(error)) throw new CdvaultError('STORE_UNREACHABLE', where, { cause: error });
    throw new CdvaultError('STORE_REFUSED', where, {
      advice: `Check the user and the password in ${name}.`,
      cause: error,
    });
  }
}

function reasonOf(error: unknown): string {
  // A name with several addresses fails with one error for each, and an empty message.
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
