/** Scripts that complete the command line in a shell. They hold all words, so that a TAB starts no Node.js. */

/** What may follow: one of some words, the name of a file, or something that only the user knows. */
export type Follower = readonly string[] | 'file' | 'value';

export interface CompletedOption {
  /** `--help`, `-h`. */
  readonly names: readonly string[];
  readonly description: string;
  /** undefined: the option takes no value. */
  readonly value: Follower | undefined;
}

export interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly CompletedOption[];
  /** The same for each of its arguments; undefined: it has none. */
  readonly argument: Follower | undefined;
}

/** `name` of the root is that of the program; its argument is the name of a command. */
export interface CompletedProgram {
  readonly root: CompletedCommand;
  readonly commands: readonly CompletedCommand[];
}

const SHELL_SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

export type Shell = keyof typeof SHELL_SCRIPTS;
export const SHELLS = Object.keys(SHELL_SCRIPTS) as readonly Shell[];

export function completionScript(shell: Shell, program: CompletedProgram): string {
  return SHELL_SCRIPTS[shell](program);
}

const namesOf = ({ options }: CompletedCommand): string[] => options.flatMap(({ names }) => names);
const isWords = (follower: Follower | undefined): follower is readonly string[] =>
  typeof follower === 'object';
/** In POSIX shells. */
const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

function bashScript({ root, commands }: CompletedProgram): string {
  const name = root.name;
  const all = [{ ...root, name: '' }, ...commands];
  const afterOptions = all.flatMap((command) =>
    command.options
      .filter(({ value }) => value !== undefined)
      .map(({ names, value }) => {
        const pattern = names.map((option) => `${command.name}:${option}`).join(' | ');
        return `    ${pattern}) ${bashReply(value)} ;;`;
      }),
  );
  const elsewhere = all.map((command) => {
    const argument = isWords(command.argument) ? command.argument : [];
    const words = quoted([...argument, ...namesOf(command)].join(' '));
    const files = command.argument === 'file' ? 'files=yes ' : '';
    return `    ${quoted(command.name)}:*) ${files}words=${words} ;;`;
  });
  return `# bash completion of ${name}; in ~/.bashrc: eval "$(${name} completion bash)"
_${name}() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} command= words= files= i
  # bash makes three words of --option=value.
  if [ "$word" = = ]; then
    word=
  elif [ "$before" = = ]; then
    before=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      -*) ;;
      *)
        command=\${COMP_WORDS[i]}
        break
        ;;
    esac
  done
  COMPREPLY=()
  case $command:$before in
${[...afterOptions, ...elsewhere].join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  if [ -n "$files" ]; then
    compopt -o filenames
    mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$word")
  fi
}
complete -F _${name} ${name}`;
}

function bashReply(value: Follower | undefined): string {
  if (value === 'file') return 'files=yes';
  return isWords(value) ? `words=${quoted(value.join(' '))}` : 'return';
}

function zshScript({ root, commands }: CompletedProgram): string {
  const name = root.name;
  const listed = commands.map((one) => `    ${quoted(`${one.name}:${one.summary}`)}`);
  const cases = commands.map(
    (command) => `    ${command.name}) _arguments ${zshSpecs(command).join(' ')} ;;`,
  );
  return `#compdef ${name}
# zsh completion of ${name}: a file _${name} in a folder of $fpath; or in ~/.zshrc, below compinit:
# eval "$(${name} completion zsh)"
_${name}() {
  local -a commands=(
${listed.join('\n')}
  )
  if ((CURRENT == 2)); then
    if [[ $PREFIX == -* ]]; then
      _arguments ${zshSpecs(root).join(' ')}
    else
      _describe command commands
    fi
    return
  fi
  shift words
  ((CURRENT--))
  case $words[1] in
${cases.join('\n')}
  esac
}
if [[ $funcstack[1] == _${name} ]]; then
  _${name} "$@"
else
  compdef _${name} ${name}
fi`;
}

/** As _arguments reads them: \`--option[description]:message:action\`. */
function zshSpecs({ options, argument }: CompletedCommand): string[] {
  const specs = options.flatMap(({ names, description, value }) =>
    names.map((option) => {
      const about = description.replaceAll(/[[\]:\\]/g, String.raw`\$&`);
      return quoted(
        `${option}[${about}]${value === undefined ? '' : `:value:${zshAction(value)}`}`,
      );
    }),
  );
  return argument === undefined ? specs : [...specs, quoted(`*:argument:${zshAction(argument)}`)];
}

function zshAction(follower: Follower): string {
  if (follower === 'file') return '_files';
  return isWords(follower) ? `(${follower.join(' ')})` : ' ';
}

function fishScript({ root, commands }: CompletedProgram): string {
  const name = root.name;
  const text = (value: string) => `'${value.replaceAll(/['\\]/g, String.raw`\$&`)}'`;
  const lines = (command: CompletedCommand, condition: string): string[] => {
    const begin = `complete -c ${name} -n ${text(condition)}`;
    const { argument } = command;
    const own = command.options.map(({ names, description, value }) => {
      const flags = names.map((one) => one.replace(/^--/, '-l ').replace(/^-(?=\w$)/, '-s '));
      return `${begin} ${flags.join(' ')}${fishValue(value, text)} -d ${text(description)}`;
    });
    if (argument === 'file') return [...own, `${begin} -F`];
    return isWords(argument) ? [...own, `${begin} -a ${text(argument.join(' '))}`] : own;
  };
  const none = '__fish_use_subcommand';
  return [
    `# fish completion of ${name}: ${name} completion fish >~/.config/fish/completions/${name}.fish`,
    `complete -c ${name} -f`,
    ...lines({ ...root, argument: undefined }, none),
    ...commands.flatMap((command) => [
      `complete -c ${name} -n ${none} -a ${command.name} -d ${text(command.summary)}`,
      ...lines(command, `__fish_seen_subcommand_from ${command.name}`),
    ]),
  ].join('\n');
}

function fishValue(value: Follower | undefined, text: (value: string) => string): string {
  if (value === undefined) return '';
  if (value === 'file') return ' -r -F';
  return isWords(value) ? ` -x -a ${text(value.join(' '))}` : ' -x';
}
