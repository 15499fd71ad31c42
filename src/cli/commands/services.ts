import type { Command } from 'commander';
import { placesOf } from '../../adapters/services/environment.ts';
import { ensureServices, findServices, stopServices } from '../../adapters/services/ladder.ts';
import type { ServiceUrls } from '../../adapters/services/types.ts';
import { loadConfig } from '../../config.ts';
import { CdvaultError } from '../../domain/errors.ts';
import { EXIT, type ExitCode } from '../../domain/exit-codes.ts';
import { listeningForSignals, print, say, servicesOptions, withApp } from '../session.ts';

export function registerServices(program: Command, finish: (exitCode: ExitCode) => void): void {
  program
    .command('up')
    .summary('start Redis and QuestDB, or find them')
    .description(
      'Uses the services that the environment names; else a container engine; else\n' +
        'processes of this machine, installed if need be, on free loopback ports, with\n' +
        'their data under .cdvault/.',
    )
    .action(async () => {
      finish(
        await withApp({}, async ({ urls }) => {
          say(`ready (${urls.how}): ${placesOf(urls)}`);
          say('cdvault env prints the URLs');
          return EXIT.ok;
        }),
      );
    });
  program
    .command('down')
    .summary('stop the services that up started; data stays')
    .description('Set CDVAULT_HOME if up had it.')
    .action(async () => {
      const config = loadConfig();
      const { stopped } = await listeningForSignals(({ signal }) =>
        stopServices(servicesOptions(config, signal)),
      );
      say(
        stopped.length === 0
          ? 'nothing of ours was running'
          : `stopped ${stopped.join(', ')}; data stays`,
      );
      finish(EXIT.ok);
    });
  program
    .command('env')
    .summary('print the URLs in use as KEY=value lines')
    .description(
      'For eval: eval "$(cdvault env)"; psql "$QUESTDB_READONLY_PG_URL". The URLs carry\npasswords. Starts the services if they are not running.',
    )
    .action(async () => {
      for (const line of envLines(await findOrStart())) print(line);
      finish(EXIT.ok);
    });
  program
    .command('migrate')
    .summary('bring the schema up to date (every command does it first)')
    .action(async () => {
      finish(
        await withApp({}, async ({ app }) => {
          const rows = await app.sql.query(
            'SELECT name FROM schema_migrations WHERE applied ORDER BY name',
          );
          for (const { name } of rows) print(name ?? '');
          return EXIT.ok;
        }),
      );
    });
}

async function findOrStart(): Promise<ServiceUrls> {
  const config = loadConfig();
  return listeningForSignals(async ({ signal }) => {
    const options = servicesOptions(config, signal);
    return (await findServices(options)) ?? ensureServices(options);
  });
}

function envLines(urls: ServiceUrls): string[] {
  const values = {
    REDIS_URL: urls.redisUrl,
    QUESTDB_HTTP_URL: urls.questdbHttpUrl,
    QUESTDB_PG_URL: urls.questdbPgUrl,
    QUESTDB_READONLY_PG_URL: urls.questdbReadonlyPgUrl,
  };
  return Object.entries(values).map(([name, value]) => {
    if (value === '') throw new CdvaultError('SERVICES_CONFIG', `${name} is not known`);
    return `${name}=${value}`;
  });
}
