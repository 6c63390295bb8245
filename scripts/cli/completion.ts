import { type Command, EXIT, UsageFault } from './command.js';

const HELP = `balise completion: has the shell complete balise's commands and options

usage: balise completion bash|zsh|fish

Writes a script to stdout. The words are those of each command's own help.

  bash   balise completion bash > /etc/bash_completion.d/balise
  zsh    balise completion zsh > /usr/local/share/zsh/site-functions/_balise
  fish   balise completion fish > /etc/fish/completions/balise.fish

example
  eval "$(balise completion bash)"
`;

interface Words {
  readonly name: string;
  readonly summary: string;
  /** What may stand behind its name, e.g. add. */
  readonly verbs: readonly string[];
  readonly options: readonly string[];
}

/** What a command's help says of its verbs and options. */
export function wordsOf({ name, summary, help }: Pick<Command, 'name' | 'summary' | 'help'>): Words {
  const usage = new RegExp(`^(?:usage:)? *balise ${name} ([a-z][a-z|-]*)(?= |$)`, 'gm');
  const verbs = [...help.matchAll(usage)].flatMap(([, found = '']) => found.split('|'));
  const options = help.match(/(?<![\w-])--[a-z][a-z0-9-]*/g) ?? [];
  return { name, summary, verbs: [...new Set(verbs)].sort(), options: [...new Set([...options, '--help'])].sort() };
}

/** A command by each name that it goes by. */
function namesOf(command: Command): readonly Words[] {
  const words = wordsOf(command);
  const others = (command.aliases ?? []).map((name) => ({ ...words, name, summary: `the same as ${words.name}` }));
  return [words, ...others];
}

/** A word in single quotes, as every POSIX shell and fish take it. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

function bash(all: readonly Words[]): string {
  const cases = all.map(
    ({ name, verbs, options }) =>
      `    ${name}) verbs=${quoted(verbs.join(' '))}; options=${quoted(options.join(' '))} ;;`,
  );
  return `_balise() {
  local word=\${COMP_WORDS[COMP_CWORD]} verbs='' options=''
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W ${quoted(['help', ...all.map(({ name }) => name), '--help', '--version'].join(' '))} -- "$word"))
    return
  fi
  case \${COMP_WORDS[1]} in
${cases.join('\n')}
  esac
  if [[ $word == -* ]]; then COMPREPLY=($(compgen -W "$options" -- "$word"))
  elif [ "$COMP_CWORD" -eq 2 ] && [ -n "$verbs" ]; then COMPREPLY=($(compgen -W "$verbs" -- "$word"))
  fi
}
complete -o default -F _balise balise
`;
}

function zsh(all: readonly Words[]): string {
  const names = all.map(({ name, summary }) => `    ${quoted(`${name}:${summary.replaceAll(':', '\\:')}`)}`);
  const cases = all.map(
    ({ name, verbs, options }) =>
      `    ${name}) verbs=(${verbs.map(quoted).join(' ')}); options=(${options.map(quoted).join(' ')}) ;;`,
  );
  return `#compdef balise
_balise() {
  local -a commands verbs options
  commands=(
${names.join('\n')}
  )
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  case $words[2] in
${cases.join('\n')}
  esac
  if [[ $PREFIX == -* ]]; then compadd -a options
  elif (( CURRENT == 3 && $#verbs )); then compadd -a verbs
  else _files
  fi
}
if [ "$funcstack[1]" = _balise ]; then _balise "$@"; else compdef _balise balise; fi
`;
}

function fish(all: readonly Words[]): string {
  const none = '__fish_use_subcommand';
  return all
    .flatMap(({ name, summary, verbs, options }) => {
      const inside = quoted(`__fish_seen_subcommand_from ${name}`);
      return [
        `complete -c balise -f -n ${none} -a ${name} -d ${quoted(summary)}`,
        ...(verbs.length === 0 ? [] : [`complete -c balise -n ${inside} -a ${quoted(verbs.join(' '))}`]),
        ...options.map((option) => `complete -c balise -n ${inside} -l ${option.slice(2)}`),
      ];
    })
    .map((line) => `${line}\n`)
    .join('');
}

const SHELLS: Readonly<Record<string, (all: readonly Words[]) => string>> = { bash, zsh, fish };

/** `balise completion bash|zsh|fish`, of the commands that there are beside it. */
export function completionOf(commands: () => Promise<readonly Command[]>): Command {
  return {
    name: 'completion',
    summary: "has the shell complete balise's commands and options",
    help: HELP,
    async run([shell = '', ...more], { stdout }) {
      const script = SHELLS[shell];
      if (script === undefined || more.length > 0) throw new UsageFault('bash, zsh or fish?');
      stdout.write(script((await commands()).flatMap(namesOf)));
      return EXIT.ok;
    },
  };
}
