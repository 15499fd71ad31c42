import { Argument, type Command, type Option } from 'commander';
import { EXIT, type ExitCode } from '../../domain/exit-codes.ts';
import {
  type CompletedCommand,
  type CompletedOption,
  completionScript,
  type Follower,
  type Shell,
  SHELLS,
} from '../print/completion.ts';
import { print } from '../session.ts';

export function registerCompletion(program: Command, finish: (exitCode: ExitCode) => void): void {
  program
    .command('completion')
    .addArgument(new Argument('<shell>', 'the shell to complete in').choices(SHELLS))
    .summary('print a script that completes commands and options in a shell')
    .description(
      'Prints a script that completes the commands, options and values of this version. The script ' +
        'holds all words, so it runs nothing while you type; print it again after an update.',
    )
    .addHelpText(
      'after',
      '\nExamples:\n' +
        '  eval "$(cdvault completion bash)"    # in ~/.bashrc\n' +
        '  eval "$(cdvault completion zsh)"     # in ~/.zshrc, below compinit\n' +
        '  cdvault completion fish >~/.config/fish/completions/cdvault.fish\n',
    )
    .action((shell: Shell) => {
      const commands = program.commands.map(completedCommand);
      const names = commands.map(({ name }) => name);
      print(
        completionScript(shell, {
          root: { ...completedCommand(program), argument: names },
          commands,
        }),
      );
      finish(EXIT.ok);
    });
}

function completedCommand(command: Command): CompletedCommand {
  const [first] = command.registeredArguments;
  return {
    name: command.name(),
    summary: command.summary(),
    options: command.createHelp().visibleOptions(command).map(completedOption),
    argument: first === undefined ? undefined : follower(first.name(), first.argChoices),
  };
}

function completedOption({ short, long, description, ...option }: Option): CompletedOption {
  const name = /<(.+)>/.exec(option.flags)?.[1];
  return {
    names: [long, short].filter((one) => one !== undefined),
    description,
    value: name === undefined ? undefined : follower(name, option.argChoices),
  };
}

/** Commander does not know which values are files, but their names say it. */
function follower(name: string, choices: readonly string[] | undefined): Follower {
  if (choices !== undefined) return choices;
  return /^(?:files?|folder)$/.test(name) ? 'file' : 'value';
}
