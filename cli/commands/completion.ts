// SPDX-License-Identifier: MIT
/** `ovbd completion`: what a shell needs to complete commands, options and their words, made from the command line's own description. */
import type { Command, Option } from 'commander';
import { EXIT } from '../../model/index.ts';
import { print } from '../print.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** A command with its whole name, `lab soak`. */
interface Named {
  readonly path: string;
  readonly command: Command;
}

/** Prints the script; `ovbd` is the program's own description. */
export async function completion(shell: Shell, ovbd: Command, signal: AbortSignal): Promise<number> {
  const all = commandsOf(ovbd, []);
  const script = shell === 'fish' ? fish(all) : shell === 'bash' ? bash(all) : zsh(all);
  await print([script], signal);
  return EXIT.ok;
}

function commandsOf(command: Command, path: readonly string[]): Named[] {
  return [{ path: path.join(' '), command }, ...command.commands.flatMap((c) => commandsOf(c, [...path, c.name()]))];
}

function optionsOf(command: Command): Option[] {
  return command.options.filter((o) => !o.hidden && o.long !== undefined) as Option[];
}

/** Words that are certain to be plain in every shell; others are left out rather than quoted. */
function plain(words: readonly string[]): string[] {
  return words.filter((w) => /^[\w@%+=:,./-]+$/.test(w));
}

function flags(command: Command): string[] {
  return plain([...optionsOf(command).flatMap((o) => [o.short ?? '', o.long!]), '--help']);
}

/** A function for bash; the one for zsh runs it through zsh's own emulation of it. */
function bash(all: readonly Named[]): string {
  const cases = all.map(({ path, command }) => `    '${path}') words='${plain([...command.commands.map((c) => c.name()), ...flags(command)]).join(' ')}' ;;`);
  const values = all.flatMap(({ path, command }) => optionsOf(command).filter((o) => o.argChoices !== undefined)
    .flatMap((o) => plain([o.short ?? '', o.long!]).map((f) => `    '${path} ${f}') words='${plain(o.argChoices!).join(' ')}' ;;`)));
  const args = all.flatMap(({ path, command }) => command.registeredArguments.filter((a) => a.argChoices !== undefined)
    .map((a) => `    '${path}') words="$words ${plain(a.argChoices!).join(' ')}" ;;`));
  return `# Completion of ovbd for bash: . <(ovbd completion bash)
_ovbd() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} path='' words='' word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${path:+$path }$word" in
${all.filter((n) => n.path !== '').map((n) => `      '${n.path}') path='${n.path}' ;;`).join('\n')}
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  case "$path" in
${args.join('\n')}
  esac
  case "$path $prev" in
${values.join('\n')}
  esac
  COMPREPLY=()
  while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -W "$words" -- "$cur")
  if [ "\${cur#-}" = "$cur" ] && [ -n "$path" ]; then
    while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$cur")
  fi
}
complete -o filenames -F _ovbd ovbd
`;
}

function zsh(all: readonly Named[]): string {
  return `#compdef ovbd
# Completion of ovbd for zsh: . <(ovbd completion zsh)
autoload -U +X compinit && (( $+functions[compdef] )) || compinit
autoload -U +X bashcompinit && bashcompinit
${bash(all).split('\n').slice(1).join('\n')}`;
}

function fish(all: readonly Named[]): string {
  const say = (text: string): string => `'${text.replace(/\\/g, '\\\\').replace(/'/g, '\\\'')}'`;
  const lines = ['# Completion of ovbd for fish: ovbd completion fish | source'];
  for (const { path, command } of all) {
    const parts = path.split(' ').filter((p) => p !== '');
    const names = command.commands.map((c) => c.name());
    const here = parts.length === 0 ? '__fish_use_subcommand' : parts.map((p) => `__fish_seen_subcommand_from ${p}`).join('; and ');
    const open = names.length > 0 && parts.length > 0 ? `${here}; and not __fish_seen_subcommand_from ${names.join(' ')}` : here;
    for (const c of command.commands) lines.push(`complete -c ovbd -n ${say(open)} -f -a ${c.name()} -d ${say(c.description())}`);
    for (const o of optionsOf(command)) {
      const choices = o.argChoices === undefined ? (o.required ? ' -r' : '') : ` -x -a ${say(plain(o.argChoices).join(' '))}`;
      const short = o.short === undefined || o.short.length !== 2 ? '' : ` -s ${o.short.slice(1)}`;
      lines.push(`complete -c ovbd -n ${say(here)}${short} -l ${o.long!.slice(2)}${choices} -d ${say(o.description)}`);
    }
    for (const a of command.registeredArguments) if (a.argChoices !== undefined) lines.push(`complete -c ovbd -n ${say(here)} -f -a ${say(plain(a.argChoices).join(' '))}`);
  }
  return `${lines.join('\n')}\n`;
}
