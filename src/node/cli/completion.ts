// `opmf completion`: programs by which shells complete command lines, made from the declarations of the commands.

import { type Command, type Flag, type Usage, UsageError } from './command';

const SHELLS = { bash, zsh, fish };

/** The command; `commands` are all of them. */
export function completionCommand(commands: () => readonly Usage[]): Command {
  return {
    usage: {
      name: 'completion',
      about: 'Prints what makes a shell complete commands, flags, their values and the names of data sets.',
      form: 'bash|zsh|fish',
      example: 'opmf completion bash >> ~/.bashrc',
      flags: {},
      words: Object.keys(SHELLS),
      more: () =>
        'bash: opmf completion bash >> ~/.bashrc; zsh: opmf completion zsh >> ~/.zshrc;\nfish: opmf completion fish > ~/.config/fish/completions/opmf.fish\n\n',
      positionals: [1, 1],
    },
    async run(given, io) {
      const name = given.positionals[0]!;
      const shell = Object.hasOwn(SHELLS, name) ? SHELLS[name as keyof typeof SHELLS] : undefined;
      if (shell === undefined) throw new UsageError(`the shell is '${name}'; want bash, zsh or fish`);
      io.stdout.write(shell(commands()));
    },
  };
}

/** The values that a flag may have, where they are known: `yes|no` are its placeholder. */
function choicesOf({ value = '', choices }: Flag): readonly string[] {
  return choices ?? (/^[\w-]+(\|[\w-]+)+$/.test(value) ? value.split('|') : []);
}

function bash(usages: readonly Usage[]): string {
  const list = (words: readonly string[]) => `'${words.join(' ')}'`;
  const flags = usages.flatMap(({ name, flags }) =>
    Object.entries(flags).flatMap(([flag, declared]) => {
      if (declared.value === undefined) return [];
      const choices = choicesOf(declared);
      return [`    '${name} --${flag}') ${choices.length === 0 ? 'files=1' : `words=${list(choices)}`} ;;`];
    }),
  );
  const commands = usages.map(({ name, flags, words = [] }) => {
    const all = Object.keys(flags).map((flag) => `--${flag}`);
    return `      ${name}) if [[ $cur == -* ]]; then words=${list(all)}; else words=${list(words)}; files=1; fi ;;`;
  });
  return `# Completion of opmf for bash.
_opmf() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} words='' files=''
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W ${list([...usages.map(({ name }) => name), '--help', '--version'])} -- "$cur"))
    return
  fi
  case "\${COMP_WORDS[1]} $prev" in
${flags.join('\n')}
    *) case "\${COMP_WORDS[1]}" in
${commands.join('\n')}
    esac ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  if [[ -n $files ]]; then
    local IFS=$'\\n'
    compopt -o filenames 2>/dev/null
    COMPREPLY+=($(compgen -f -- "$cur"))
  fi
}
complete -F _opmf opmf
`;
}

function zsh(usages: readonly Usage[]): string {
  return `autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n${bash(usages)}`;
}

function fish(usages: readonly Usage[]): string {
  const quoted = (text: string) => `'${text.replace(/[\\']/g, '\\$&')}'`;
  const lines = usages.flatMap(({ name, about, flags, words = [] }) => {
    const here = `complete -c opmf -n ${quoted(`__fish_seen_subcommand_from ${name}`)}`;
    const ofFlags = Object.entries(flags).map(([flag, declared]) => {
      const choices = choicesOf(declared);
      const value = declared.value === undefined ? '' : ' -r';
      return `${here} -l ${flag}${choices.length === 0 ? value : ` -x -a ${quoted(choices.join(' '))}`} -d ${quoted(declared.about)}`;
    });
    return [
      `complete -c opmf -f -n __fish_use_subcommand -a ${name} -d ${quoted(about)}`,
      ...(words.length === 0 ? [] : [`${here} -a ${quoted(words.join(' '))}`]),
      ...ofFlags,
    ];
  });
  return `# Completion of opmf for fish.\n${lines.join('\n')}\n`;
}
