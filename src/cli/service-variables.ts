import type { ServiceUrls } from '../adapters/services/types.ts';
import { CdvaultError } from '../domain/errors.ts';

/**
 * Environment variables that name the services in use.
 * @throws CdvaultError SERVICES_CONFIG when a URL is not known
 */
export function serviceVariables(urls: ServiceUrls): Readonly<Record<string, string>> {
  const variables = {
    REDIS_URL: urls.redisUrl,
    QUESTDB_HTTP_URL: urls.questdbHttpUrl,
    QUESTDB_PG_URL: urls.questdbPgUrl,
    QUESTDB_READONLY_PG_URL: urls.questdbReadonlyPgUrl,
  };
  for (const [name, value] of Object.entries(variables))
    if (value === '') throw new CdvaultError('SERVICES_CONFIG', `${name} is not known`);
  return variables;
}

/** For `eval` in a POSIX shell; exported, so that programs started from it inherit them. */
export function exportLines(variables: Readonly<Record<string, string>>): string[] {
  return Object.entries(variables).map(([name, value]) => `export ${name}=${quoted(value)}`);
}

/** Between single quotes a shell takes everything literally except the quote itself. */
function quoted(value: string): string {
  return `'${value.replaceAll("'", String.raw`'\''`)}'`;
}
