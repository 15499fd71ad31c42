import type { Command } from 'commander';
import { appliedMigrations } from '../../adapters/questdb/migrate.ts';
import { placesOf } from '../../adapters/services/environment.ts';
import { ensureServices, findServices, stopServices } from '../../adapters/services/ladder.ts';
import type { ServiceUrls } from '../../adapters/services/types.ts';
import { loadConfig } from '../../config.ts';
import { EXIT, type ExitCode } from '../../domain/exit-codes.ts';
import { exportLines, serviceVariables } from '../service-variables.ts';
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
  registerEnv(program, finish);
  program
    .command('migrate')
    .summary('bring the schema up to date (every command does it first)')
    .action(async () => {
      finish(
        await withApp({}, async ({ app }) => {
          for (const name of await appliedMigrations(app.sql)) print(name);
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

function registerEnv(program: Command, finish: (exitCode: ExitCode) => void): void {
  program
    .command('env')
    .summary('print the URLs in use, for a shell to take')
    .description(
      'For eval: eval "$(cdvault env)"; psql "$QUESTDB_READONLY_PG_URL". Programs started\n' +
        'from that shell have them too. The URLs carry passwords. Starts the services if they\n' +
        'are not running.',
    )
    .option('--json', 'one JSON object, for programs that read no shell')
    .action(async ({ json }: { json?: boolean }) => {
      const variables = serviceVariables(await findOrStart());
      if (json === true) print(JSON.stringify(variables));
      else for (const line of exportLines(variables)) print(line);
      finish(EXIT.ok);
    });
}
