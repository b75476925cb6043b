/** Scripts that let bash, zsh and fish ask `systole complete` what may stand next. */
import type { Context } from './context.ts';

const bash = `# bash completion for systole and crm
_systole() {
  local line=\${COMP_LINE:0:COMP_POINT} cur prefix i
  local -a words
  read -r -a words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  # Behind sudo, env and the like.
  while ((\${#words[@]} > 1)) && [[ \${words[0]##*/} != "\${1##*/}" ]]; do words=("\${words[@]:1}"); done
  cur=\${words[\${#words[@]}-1]}
  local IFS=$'\\n'
  COMPREPLY=($("$1" complete "\${words[@]:1}" 2>/dev/null))
  # Bash replaces only what stands behind the last of its own word breaks.
  prefix=\${cur%"\${cur##*[:=]}"}
  if [[ -n $prefix && $COMP_WORDBREAKS == *[:=]* ]]; then
    for i in "\${!COMPREPLY[@]}"; do COMPREPLY[i]=\${COMPREPLY[i]#"$prefix"}; done
  fi
  [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *[=:./] ]] && compopt -o nospace
}
complete -F _systole systole crm
# Behind sudo, where no other package completes that.
_systole_sudo() {
  local word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case \${word##*/} in systole | crm) _systole "$word"; return ;; esac
  done
}
complete -p sudo &>/dev/null || complete -p -D &>/dev/null ||
  complete -o bashdefault -o default -F _systole_sudo sudo
`;

const zsh = `#compdef systole crm
_systole() {
  local -a found open closed
  found=("\${(@f)$("\${words[1]}" complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  open=(\${(M)found:#*[=:./]})
  closed=(\${found:#*[=:./]})
  (( $#open )) && compadd -Q -S '' -- $open
  (( $#closed )) && compadd -Q -- $closed
  (( $#open + $#closed ))
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit -u }
compdef _systole systole crm
`;

const fish = `# fish completion for systole and crm
function __systole_complete
    set -l words (commandline -opc) (commandline -ct)
    $words[1] complete $words[2..-1] 2>/dev/null
end
complete -c systole -f -a '(__systole_complete)'
complete -c crm -f -a '(__systole_complete)'
`;

export function script(context: Context, args: readonly string[]): void {
  context.out(args[0] === 'zsh' ? zsh : args[0] === 'fish' ? fish : bash);
}
