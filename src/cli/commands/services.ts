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
    .summary('start Redis and QuestDB, unless they are running')
    .description(
      'Uses the services whose URLs are set in the environment. Otherwise starts them with a ' +
        'container engine. Otherwise starts them as processes on free loopback ports, with data ' +
        'under CDVAULT_HOME; missing programs are installed.',
    )
    .action(async () => {
      finish(
        await withApp({}, async ({ urls }) => {
          say(`ready (${urls.how}): ${placesOf(urls)}`);
          say('run cdvault env to print the URLs');
          return EXIT.ok;
        }),
      );
    });
  program
    .command('down')
    .summary('stop the services that "up" started; data is kept')
    .description(
      'Stops the services of the same CDVAULT_HOME, and a cdvault serve that runs in the background ' +
        'there. Data is kept.',
    )
    .action(async () => {
      const config = loadConfig();
      const { stopped } = await listeningForSignals(({ signal }) =>
        stopServices(servicesOptions(config, signal)),
      );
      say(
        stopped.length === 0
          ? 'nothing of cdvault was running'
          : `stopped ${stopped.join(', ')}; data is kept`,
      );
      finish(EXIT.ok);
    });
  registerEnv(program, finish);
  program
    .command('migrate')
    .summary('update the database schema (other commands do this first)')
    .description(
      'Applies the schema migrations that are missing, and prints the names of all that are ' +
        'applied. Every command that uses QuestDB does this first.',
    )
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
    .summary('print the service URLs as shell variables')
    .description(
      'Prints export lines for a POSIX shell, so that programs started from it find the services. ' +
        'The URLs contain passwords. Starts the services if they are not running.',
    )
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExample:\n  eval "$(cdvault env)"\n  psql "$QUESTDB_READONLY_PG_URL"\n',
    )
    .action(async ({ json }: { json?: boolean }) => {
      const variables = serviceVariables(await findOrStart());
      if (json === true) print(JSON.stringify(variables));
      else for (const line of exportLines(variables)) print(line);
      finish(EXIT.ok);
    });
}
