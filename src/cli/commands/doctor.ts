import type { Command } from 'commander';
import { exitCodeOf } from '../../app/doctor/check.ts';
import { loadConfig } from '../../config.ts';
import type { ExitCode } from '../../domain/exit-codes.ts';
import type { Doctor } from '../compose-doctor.ts';
import { doctorLines, fixLines } from '../print/doctor-report.ts';
import { listeningForSignals, print, servicesOptions } from '../session.ts';

interface Options {
  readonly json?: boolean;
  readonly fix?: boolean;
}

export function registerDoctor(program: Command, finish: (exitCode: ExitCode) => void): void {
  program
    .command('doctor')
    .summary('check services, store, queue and exchange; say what is wrong and the cure')
    .description(
      'Checks Node.js, Redis, QuestDB, the store, the queue, the exchange and, with ' +
        'CDVAULT_GRAFANA_URL, Grafana. Starts nothing and changes nothing, and works while services ' +
        'are away. Sends one request of weight 1 to each market that has series, none during a ban.',
    )
    .option('--json', 'print one JSON object')
    .option(
      '--fix',
      'apply the cures that are safe: resume suspended tables, make missing views again, queue the ' +
        'lost hourly job, forget failed jobs. It deletes no data',
    )
    .addHelpText(
      'after',
      '\nExit codes:\n' +
        '  0  no failure; there may be warnings\n' +
        '  5  a service does not answer\n' +
        '  7  another failure\n',
    )
    .action(async (options: Options) => {
      const config = loadConfig();
      const { composeDoctor } = await import('../compose-doctor.ts');
      const { unlessAborted } = await import('../../adapters/system/within.ts');
      await listeningForSignals(async ({ signal }) => {
        const doctor = composeDoctor(config, servicesOptions(config, signal));
        try {
          finish(await unlessAborted(run(doctor, options, signal), signal));
        } finally {
          await doctor.close();
        }
      });
    });
}

async function run(
  doctor: Doctor,
  { json = false, fix = false }: Options,
  signal: AbortSignal,
): Promise<ExitCode> {
  const found = await doctor.examine(signal);
  const fixes = fix ? await doctor.fix(found, signal) : [];
  const checks = fixes.length > 0 ? await doctor.examine(signal) : found;
  const exitCode = exitCodeOf(checks);
  if (json) print(JSON.stringify({ type: 'doctor', fixes, checks, exitCode }));
  else
    for (const line of [...(fix ? [...fixLines(fixes), ''] : []), ...doctorLines(checks)])
      print(line);
  return exitCode;
}
