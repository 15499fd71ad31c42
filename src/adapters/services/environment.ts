import { CdvaultError } from '../../domain/errors.ts';
import { redisCall } from '../redis/redis-call.ts';
import { isRefusal, probeQuestdbHttp, probeQuestdbPg, probeRedis } from './probes.ts';
import { tlsAdvice } from './tls-advice.ts';
import type { ServicesOptions, ServiceUrls } from './types.ts';

const NAMES = {
  redisUrl: 'REDIS_URL',
  questdbHttpUrl: 'QUESTDB_HTTP_URL',
  questdbPgUrl: 'QUESTDB_PG_URL',
  questdbReadonlyPgUrl: 'QUESTDB_READONLY_PG_URL',
} as const;

/** Longer than the probe's own timeouts for connecting and answers, whose errors say more. */
const REDIS_ANSWER_MS = 15_000;

type Given = Pick<ServicesOptions, keyof typeof NAMES>;

/**
 * All four URLs, or undefined when none is given.
 * @throws CdvaultError SERVICES_CONFIG when only some are given, or none though they are required
 */
export function urlsOfElsewhere(given: Given, required: boolean): ServiceUrls | undefined {
  const keys = Object.keys(NAMES) as (keyof typeof NAMES)[];
  const set = keys.filter((key) => given[key] !== '').map((key) => NAMES[key]);
  const missing = keys.filter((key) => given[key] === '').map((key) => NAMES[key]);
  if (set.length === 0 && !required) return undefined;
  if (missing.length > 0) {
    const reason =
      set.length > 0
        ? `${set.join(', ')} set, but not `
        : 'services from the environment are required, but not set: ';
    throw new CdvaultError('SERVICES_CONFIG', reason + missing.join(', '), {
      advice: `Set all of ${Object.values(NAMES).join(', ')}, or none. If the server has no read-only user, set the same URL twice.`,
    });
  }
  const withoutSlash = (url: string) => url.replace(/\/$/, '');
  return {
    how: 'environment',
    redisUrl: withoutSlash(given.redisUrl),
    questdbHttpUrl: withoutSlash(given.questdbHttpUrl),
    questdbPgUrl: withoutSlash(given.questdbPgUrl),
    questdbReadonlyPgUrl: withoutSlash(given.questdbReadonlyPgUrl),
  };
}

export const hostOf = (url: string): string => new URL(url).host;

/** The hosts of the services for messages, without passwords. */
export function placesOf(urls: ServiceUrls): string {
  return `Redis ${hostOf(urls.redisUrl)}, QuestDB ${hostOf(urls.questdbHttpUrl)} and ${hostOf(urls.questdbPgUrl)} (SQL)`;
}

/**
 * Checks once that services which cdvault did not start answer and accept the credentials.
 * @throws CdvaultError REDIS_UNREACHABLE, STORE_UNREACHABLE; REDIS_REFUSED, STORE_REFUSED when a server
 *   answers but refuses the credentials
 */
export async function requireAnswers(urls: ServiceUrls): Promise<void> {
  await requireRedis(urls);
  await requireQuestdb(urls);
}

/** @throws CdvaultError REDIS_UNREACHABLE, REDIS_REFUSED */
export async function requireRedis({ redisUrl }: Pick<ServiceUrls, 'redisUrl'>): Promise<void> {
  try {
    await redisCall(`answer at ${hostOf(redisUrl)}`, () => probeRedis(redisUrl), {
      answerMs: REDIS_ANSWER_MS,
    });
  } catch (error) {
    const advice = tlsAdvice(error, NAMES.redisUrl);
    if (advice === undefined || !(error instanceof CdvaultError)) throw error;
    throw new CdvaultError(error.code, error.message, { advice, cause: error.cause });
  }
}

/** @throws CdvaultError STORE_UNREACHABLE, STORE_REFUSED */
export async function requireQuestdb(
  urls: Pick<ServiceUrls, 'questdbHttpUrl' | 'questdbPgUrl' | 'questdbReadonlyPgUrl'>,
): Promise<void> {
  const { questdbHttpUrl, questdbPgUrl, questdbReadonlyPgUrl } = urls;
  await requireProbe(questdbHttpUrl, NAMES.questdbHttpUrl, probeQuestdbHttp);
  await requireProbe(questdbPgUrl, NAMES.questdbPgUrl, probeQuestdbPg);
  await requireProbe(questdbReadonlyPgUrl, NAMES.questdbReadonlyPgUrl, probeQuestdbPg);
}

async function requireProbe(
  url: string,
  name: string,
  probe: (url: string) => Promise<void>,
): Promise<void> {
  try {
    await probe(url);
  } catch (error) {
    const where = `QuestDB at ${hostOf(url)}: ${reasonOf(error)}`;
    if (!isRefusal(error)) {
      const advice = tlsAdvice(error, name);
      throw new CdvaultError('STORE_UNREACHABLE', where, {
        ...(advice && { advice }),
        cause: error,
      });
    }
    throw new CdvaultError('STORE_REFUSED', where, {
      advice: `Check the user and the password in ${name}.`,
      cause: error,
    });
  }
}

function reasonOf(error: unknown): string {
  // A host name with several addresses fails with one error for each, and the message is empty.
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
