import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command, Option } from 'commander';
import { createProgram } from '../src/cli/program.ts';
import { FLAGS, SETTINGS } from '../src/config.ts';

const DOCS = join(import.meta.dirname, '..', 'docs');
export const CLI_DOCS = join(DOCS, 'cli.md');
const CONFIGURATION = 'configuration.md';

/** The text of docs/cli.md: a section for each command, as its --help has it. */
export function cliDocs(): string {
  const program = createProgram(() => undefined);
  const settings = settingLinks(readFileSync(join(DOCS, CONFIGURATION), 'utf8'));
  const list = program.commands.map(
    (command) => `| [\`${command.name()}\`](#cdvault-${command.name()}) | ${command.summary()} |`,
  );
  return [
    HEADER,
    table('Command', 'What it does', list),
    `## cdvault\n\n${bodyOf(program, settings)}`,
    ...program.commands.map(
      (command) => `## cdvault ${command.name()}\n\n${bodyOf(command, settings)}`,
    ),
    `## Environment\n\n${ENVIRONMENT}`,
    table('Variable', 'Option', environmentRows(settings)),
  ].join('\n');
}

/** A link to the section of docs/configuration.md that explains each variable. */
type SettingLinks = ReadonlyMap<string, string>;

/** @throws Error when a variable has no row there */
function settingLinks(page: string): SettingLinks {
  const sections = page.split(/^## /m).slice(1);
  return new Map(
    Object.values(SETTINGS).map(({ env }) => {
      const section = sections.find((text) => text.includes(`| \`${env}\` |`));
      if (section === undefined) throw new Error(`${CONFIGURATION} does not explain ${env}`);
      const [title = ''] = section.split('\n');
      return [env, `[\`${env}\`](${CONFIGURATION}#${title.toLowerCase().replaceAll(' ', '-')})`];
    }),
  );
}

function bodyOf(command: Command, settings: SettingLinks): string {
  const help = command.createHelp();
  const argumentRows = help
    .visibleArguments(command)
    .map((one) => `| \`${help.argumentTerm(one)}\` | ${cell(help.argumentDescription(one))} |`);
  const optionRows = help.visibleOptions(command).map((option) => {
    const setting = settingOf(option);
    const from = setting === undefined ? '' : `; sets ${settings.get(setting) ?? setting}`;
    return `| \`${help.optionTerm(option)}\` | ${cell(help.optionDescription(option))}${from} |`;
  });
  return [
    block(help.commandUsage(command)),
    `${escaped(help.commandDescription(command))}\n`,
    ...(argumentRows.length === 0 ? [] : [table('Argument', 'Meaning', argumentRows)]),
    table('Option', 'Meaning', optionRows),
    ...afterHelp(command).map(block),
  ].join('\n');
}

/** The variable that an option sets. */
function settingOf({ long }: Option): string | undefined {
  const name = Object.keys(SETTINGS).find((key) => FLAGS[key as keyof typeof SETTINGS] === long) as
    | keyof typeof SETTINGS
    | undefined;
  return name === undefined ? undefined : SETTINGS[name].env;
}

/** What --help prints below the lists: examples, exit codes. Commander has no other way to read it. */
function afterHelp(command: Command): string[] {
  let text = '';
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
  });
  command.outputHelp();
  const after = text.slice(command.helpInformation().length).trim();
  return after === '' ? [] : [after];
}

function environmentRows(settings: SettingLinks): string[] {
  return Object.entries(SETTINGS).map(([name, { env }]) => {
    const flag = FLAGS[name as keyof typeof SETTINGS];
    return `| ${settings.get(env) ?? env} | ${flag === undefined ? '' : `\`${flag}\``} |`;
  });
}

function table(left: string, right: string, rows: readonly string[]): string {
  return [`| ${left} | ${right} |`, '| --- | --- |', ...rows, ''].join('\n');
}

const block = (text: string): string => `\`\`\`\n${text}\n\`\`\`\n`;
const escaped = (text: string): string => text.replaceAll('<', '&lt;');
const cell = (text: string): string => escaped(text).replaceAll('|', String.raw`\|`);

const HEADER = `# Command line

Every command with its arguments and options, as \`--help\` prints them. [Operations](operations.md) explains how
to use them, and its [list of exit codes](operations.md#exit-codes) holds for all commands.

In a clone, write \`bin/cdvault\` instead of \`cdvault\`. All times are UTC.

This page is generated from the definitions of the commands in \`src/cli/commands/\`: change them, then run
\`scripts/with-node.sh node scripts/write-cli-docs.ts\`. A test compares the two.
`;

const ENVIRONMENT = `The settings that all commands read, and the option that sets one for a single command. An option wins
over its variable; an empty variable counts as not set.
`;

if (process.argv[1] === import.meta.filename) writeFileSync(CLI_DOCS, cliDocs());
