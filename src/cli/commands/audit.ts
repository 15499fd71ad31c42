import { existsSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { createArchiveReader } from '../../adapters/archive/archive-reader.ts';
import { auditFile, auditTogether, type FileAudit } from '../../app/verify/audit-files.ts';
import { type ArchiveName, parseArchiveName } from '../../domain/archive/archive-name.ts';
import { CdvaultError } from '../../domain/errors.ts';
import { EXIT, type ExitCode } from '../../domain/exit-codes.ts';
import { print } from '../session.ts';
import { renderTable } from '../print/table.ts';
import { jsonOption } from '../input/options.ts';
import { counted, formatInteger } from '../print/format.ts';

export function registerAudit(program: Command, finish: (exitCode: ExitCode) => void): void {
  program
    .command('audit')
    .argument('<files...>', 'files named SYMBOL-aggTrades-DATE.zip or .csv, or folders of them')
    .summary('check archive files for missing or repeated trades')
    .description(
      'Reads aggTrades archive files of the exchange (zip or csv, daily or monthly) and reports ' +
        'trades that are missing in or between them. Needs no Redis, QuestDB or network. A ' +
        '.CHECKSUM file next to a file is compared, but only trade ids prove completeness.',
    )
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExit codes:\n' +
        '  0  all files are whole\n' +
        '  2  invalid usage\n' +
        '  3  something is missing, repeated or unreadable\n',
    )
    .action(async (given: string[], { json = false }: { json?: boolean }) => {
      const files = await filesOf(given);
      const reader = createArchiveReader();
      const alone: FileAudit[] = [];
      for (const [file, name] of files) alone.push(await auditFile(reader, file, name));
      const { files: audits, between } = auditTogether(alone);
      if (json) for (const audit of audits) print(JSON.stringify({ type: 'file', ...audit }));
      const isWhole = between.length === 0 && audits.every(({ problems }) => problems.length === 0);
      if (json) print(JSON.stringify({ type: 'summary', whole: isWhole, between }));
      else print(auditText(audits, between, isWhole));
      finish(isWhole ? EXIT.ok : EXIT.gaps);
    });
}

/** Checks all paths before the first file is read. @throws CdvaultError USAGE */
async function filesOf(given: readonly string[]): Promise<Map<string, ArchiveName>> {
  const files = new Map<string, ArchiveName>();
  for (const one of given) {
    if (!existsSync(one)) throw usage(`${one} does not exist`);
    const isFolder = statSync(one).isDirectory();
    const found = isFolder ? (await readdir(one)).map((entry) => path.join(one, entry)) : [one];
    const known = found
      .map((file) => [file, parseArchiveName(path.basename(file))] as const)
      .filter((pair): pair is readonly [string, ArchiveName] => pair[1] !== undefined);
    if (known.length === 0)
      throw usage(
        `${one} is not a ${isFolder ? 'folder with files' : 'file'} named SYMBOL-aggTrades-DATE.zip or .csv`,
      );
    for (const [file, name] of known.toSorted(([left], [right]) => (left < right ? -1 : 1)))
      files.set(file, name);
  }
  return files;
}

function usage(message: string): CdvaultError {
  return new CdvaultError('USAGE', message, {
    advice: 'Name archive files, such as BTCUSDT-aggTrades-2024-01-01.zip, or folders with them.',
  });
}

function auditText(
  audits: readonly FileAudit[],
  between: readonly string[],
  isWhole: boolean,
): string {
  const lines = [renderTable(audits.map(row))];
  for (const { stem, problems, notes } of audits) {
    lines.push(...problems.map((problem) => `${stem}: ${problem}`));
    lines.push(...notes.map((note) => `${stem}: (harmless) ${note}`));
  }
  lines.push(...between);
  const rows = audits.reduce((sum, { content }) => sum + (content?.rows ?? 0), 0);
  lines.push(
    isWhole
      ? `whole: ${counted(audits.length, 'file')}, ${counted(rows, 'trade')}, no missing ids in or between them`
      : 'NOT whole: run cdvault backfill to fetch what is missing',
  );
  return lines.join('\n');
}

function row({ stem, content, facts, problems }: FileAudit): Record<string, string> {
  return {
    file: stem,
    trades: formatInteger(content?.rows ?? 0),
    'first id': String(content?.firstId ?? '-'),
    'last id': String(content?.lastId ?? '-'),
    checksum: facts?.checksum ?? '-',
    verdict: problems.length === 0 ? 'whole' : 'NOT whole',
  };
}
